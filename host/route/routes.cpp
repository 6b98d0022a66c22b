#include <host/route/routes.hpp>
#include <proto/sniff/tag.hpp>

#include <algorithm>

namespace switchyard::host {
namespace {

using enum RefusalCode;

/// "plugins.toml:12"
std::string at(const Config& config, Place place) {
  return config.file + ':' + std::to_string(place.line);
}

template <class Named>
std::string listed(const std::vector<Named>& all, std::string Named::*name) {
  std::string text;
  for (const auto& one : all)
    text += (text.empty() ? "" : ", ") + one.*name;
  return text.empty() ? "none" : text;
}

/// The routes of one plugin, before anybody else's are looked at.
OrRefusal<std::vector<Route>>
routes_of(const Config& config, std::size_t number, const Manifest& manifest) {
  const auto& plugin = config.plugins[number];
  std::vector<Route> routes;
  for (const auto& protocol : manifest.protocols) {
    routes.push_back(
        {protocol.name,
         number,
         static_cast<std::uint32_t>(routes.size()),
         protocol.tag,
         protocol.alpn,
         protocol.mode,
         plugin.place,
         protocol.listener_alpn});
  }
  for (const auto& override : plugin.routes) {
    const auto found = std::ranges::find(routes, override.protocol, &Route::protocol);
    if (found == routes.end()) {
      return refuse(
          RouteUnknown,
          plugin.name,
          {at(config, override.place),
           override.protocol,
           listed(manifest.protocols, &Protocol::name)});
    }
    if (override.tag) found->tag = override.tag;
    if (override.alpn) found->alpn = override.alpn;
    found->place = override.place;
  }
  for (const auto& route : routes) {
    if (route.tag && sniff::means_tls(*route.tag)) {
      return refuse(
          TagReserved,
          plugin.name,
          {route.protocol, std::to_string(*route.tag), at(config, route.place)});
    }
  }
  return routes;
}

/// What `route` and `earlier` both claim; empty when nothing.
std::string clash(const Route& route, const Route& earlier) {
  if (route.protocol == earlier.protocol) return "the name";
  if (route.tag && route.tag == earlier.tag) return "tag " + std::to_string(*route.tag);
  if (route.alpn && route.alpn == earlier.alpn) return "ALPN name \"" + *route.alpn + '"';
  return {};
}

std::optional<Refusal>
taken(const Config& config, const std::vector<Route>& routes, const std::vector<Route>& earlier) {
  for (const auto& route : routes) {
    for (const auto& other : earlier) {
      const auto what = clash(route, other);
      if (what.empty() || &route == &other) continue;
      return refuse(
          RouteTaken,
          config.plugins[route.plugin].name,
          {what,
           route.protocol,
           at(config, route.place),
           other.protocol,
           config.plugins[other.plugin].name,
           at(config, other.place)});
    }
  }
  return std::nullopt;
}

} // namespace

RouteTable::RouteTable(std::vector<Route> routes) : routes_{std::move(routes)} {
  for (std::size_t number = 0; number < routes_.size(); ++number) {
    if (const auto& tag = routes_[number].tag) {
      tags_[*tag] = static_cast<std::uint16_t>(number + 1);
    }
  }
}

const Route* RouteTable::by_alpn(std::string_view alpn) const noexcept {
  const auto found =
      std::ranges::find_if(routes_, [&](const Route& route) { return route.alpn == alpn; });
  return found == routes_.end() ? nullptr : &*found;
}

const Route* RouteTable::by_protocol(std::string_view protocol) const noexcept {
  const auto found = std::ranges::find(routes_, protocol, &Route::protocol);
  return found == routes_.end() ? nullptr : &*found;
}

Routing make_routes(const Config& config, std::span<const Manifest* const> manifests) {
  Routing routing;
  std::vector<Route> all;
  for (std::size_t number = 0; number < manifests.size(); ++number) {
    if (manifests[number] == nullptr) continue;
    auto routes = routes_of(config, number, *manifests[number]);
    if (!routes) {
      routing.problems.push_back({number, routes.error()});
      continue;
    }
    auto refusal = taken(config, *routes, *routes);
    if (!refusal) refusal = taken(config, *routes, all);
    if (refusal) {
      routing.problems.push_back({number, *std::move(refusal)});
    } else {
      std::ranges::move(*routes, std::back_inserter(all));
    }
  }

  for (const auto& listener : config.listeners) {
    if (listener.protocol.empty()) continue;
    if (std::ranges::find(all, listener.protocol, &Route::protocol) != all.end()) continue;
    routing.problems.push_back(
        {std::nullopt,
         refuse(
             ListenerUnknown,
             "",
             {at(config, listener.place),
              listener.name,
              listener.protocol,
              listed(all, &Route::protocol)})});
  }
  routing.table = RouteTable{std::move(all)};
  return routing;
}

} // namespace switchyard::host

#pragma once

#include <host/config/config.hpp>
#include <host/plugin/manifest.hpp>
#include <host/plugin/refusal.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard::host {

/// Where the connections of one protocol go.
struct Route {
  std::string protocol;
  std::size_t plugin = 0;  ///< position in Config::plugins
  std::uint32_t index = 0; ///< position in its manifest; what serve() gets
  std::optional<std::uint8_t> tag;
  std::optional<std::string> alpn;
  ServeMode mode = ServeMode::Stream;
  Place place; ///< where plugins.toml says it: the override, else the plugin
  std::optional<std::string> listener_alpn{};

  friend bool operator==(const Route& a, const Route& b) noexcept {
    return a.protocol == b.protocol && a.plugin == b.plugin && a.index == b.index &&
           a.tag == b.tag && a.alpn == b.alpn && a.mode == b.mode &&
           a.listener_alpn == b.listener_alpn;
  }
};

/// Protocol → plugin. Immutable; the pointers it gives live as long as it does. Any thread.
class RouteTable {
public:
  RouteTable() = default;
  explicit RouteTable(std::vector<Route> routes);

  [[nodiscard]] const Route* by_tag(std::uint8_t tag) const noexcept { return at(tags_[tag]); }

  [[nodiscard]] const Route* by_alpn(std::string_view alpn) const noexcept;
  [[nodiscard]] const Route* by_protocol(std::string_view protocol) const noexcept;

  /// In the order of Config::plugins and their manifests.
  [[nodiscard]] const std::vector<Route>& all() const noexcept { return routes_; }

private:
  [[nodiscard]] const Route* at(std::uint16_t number) const noexcept {
    return number == 0 ? nullptr : &routes_[number - 1];
  }

  std::vector<Route> routes_;
  std::array<std::uint16_t, 256> tags_{}; ///< position in routes_ plus one; 0: none
};

/// A refusal and the plugin it befalls, by position in Config::plugins; no position when a listener
/// is what is wrong.
struct RouteProblem {
  std::optional<std::size_t> plugin;
  Refusal refusal;
};

struct Routing {
  RouteTable table;
  std::vector<RouteProblem> problems;
};

/// Who gets what: manifests with the overrides of plugins.toml. Pure. `manifests` is parallel to
/// `config.plugins`; null for a plugin that has no say. A plugin that claims what an earlier one
/// has, or what nobody can have, is named in a problem and gets no route at all. Listeners are
/// checked against the protocols that are left.
[[nodiscard]] Routing make_routes(const Config& config, std::span<const Manifest* const> manifests);

} // namespace switchyard::host

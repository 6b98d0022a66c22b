#include "rules.hpp"

#include "address.hpp"
#include "parse.hpp"

#include <sys/un.h>

#include <algorithm>
#include <utility>

namespace switchyard::host {
namespace {

// sun_path holds the path and its NUL; source: unix(7).
constexpr std::size_t kSocketPathMax = sizeof(sockaddr_un::sun_path) - 1;

/// Puts problems of one table into the list.
class Report {
public:
  Report(std::vector<Problem>& problems, Place place, std::string table)
      : problems_{problems}, place_{place}, table_{std::move(table)} {}

  void operator()(std::string_view key, std::string text) const {
    problems_.push_back({place_.line, table_ + "." + std::string{key}, std::move(text)});
  }

private:
  std::vector<Problem>& problems_;
  Place place_;
  std::string table_;
};

std::string in_line(Place place) {
  return " in line " + std::to_string(place.line);
}

void check_host(const HostConfig& host, std::vector<Problem>& problems) {
  const Report report{problems, host.place, "host"};
  const auto socket = control_socket(host);
  if (socket.size() <= kSocketPathMax) return;
  report(
      host.control_socket.empty() ? "data_dir" : "control_socket",
      "the control socket \"" + socket + "\" is " + std::to_string(socket.size()) +
          " bytes long and the system takes at most " + std::to_string(kSocketPathMax) +
          "; set host.control_socket to a shorter path");
}

void check_tls(const TlsConfig& tls, std::vector<Problem>& problems) {
  const Report report{problems, tls.place, "tls"};
  if (tls.certificate.empty())
    report("certificate", "must name a PEM file (cert create makes one)");
  if (tls.key.empty()) report("key", "must name the PEM file with the certificate's private key");
  if (!tls.ca.empty()) return;
  if (tls.verify_incoming) report("ca", "must name a PEM file, because verify_incoming is on");
  if (tls.verify_outgoing) report("ca", "must name a PEM file, because verify_outgoing is on");
}

void check_listeners(const Config& config, std::vector<Problem>& problems) {
  if (config.listeners.empty()) {
    problems.push_back(
        {0,
         "listener",
         "there is none; add [[listener]] with name and address = \"127.0.0.1:8300\""});
  }

  std::vector<Address> taken;
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    const auto& listener = config.listeners[i];
    const Report report{problems, listener.place, "listener[" + std::to_string(i) + "]"};

    const auto first = std::ranges::find(config.listeners, listener.name, &ListenerConfig::name);
    if (!listener.name.empty() && &*first != &listener) {
      report("name", "\"" + listener.name + "\" is already the listener" + in_line(first->place));
    }

    if (listener.tls && listener.protocol.empty()) {
      report("tls", "needs protocol; without it the first byte of a connection tells TLS");
    } else if (listener.tls && !config.tls) {
      report("tls", "needs a certificate; add [tls] with certificate and key");
    } else if (
        listener.tls && listener.verify_incoming && !config.tls->verify_incoming &&
        config.tls->ca.empty()) {
      report("verify_incoming", "needs a CA; set tls.ca, or verify_incoming = false");
    }

    const auto address = parse_address(listener.address);
    taken.push_back(address.value_or(Address{}));
    if (!address) continue;
    const auto same = std::ranges::find(taken, *address);
    if (address->port != 0 && same != taken.end() - 1) {
      const auto& other = config.listeners[static_cast<std::size_t>(same - taken.begin())];
      report(
          "address", listener.address + " is already taken by the listener" + in_line(other.place));
    }
    if (address->loopback || listener.insecure || listener.tls) continue;
    const auto reachable = listener.address + " can be reached from other machines and ";
    if (!listener.protocol.empty()) {
      report(
          "address",
          reachable + "a listener of one protocol speaks clear text; say tls = true, listen on "
                      "127.0.0.1, or say insecure = true");
    } else if (!config.tls) {
      report(
          "address",
          reachable + "there is no [tls]; add [tls], listen on 127.0.0.1, or say insecure = true");
    }
  }
}

void check_plugins(const std::vector<PluginConfig>& plugins, std::vector<Problem>& problems) {
  std::vector<std::pair<const RouteConfig*, std::string>> claimed;
  for (const auto& plugin : plugins) {
    for (std::size_t i = 0; i < plugin.routes.size(); ++i) {
      const auto& route = plugin.routes[i];
      const auto table = "plugin." + plugin.name + ".route[" + std::to_string(i) + "]";
      const Report report{problems, route.place, table};
      for (const auto& [other, other_table] : claimed) {
        const auto by = " is already claimed by " + other_table + in_line(other->place);
        if (route.tag && route.tag == other->tag) report("tag", std::to_string(*route.tag) + by);
        if (route.alpn && route.alpn == other->alpn) report("alpn", "\"" + *route.alpn + "\"" + by);
      }
      claimed.emplace_back(&route, table);
    }
  }
}

} // namespace

void check_rules(const Config& config, std::vector<Problem>& problems) {
  check_host(config.host, problems);
  if (config.tls) check_tls(*config.tls, problems);
  check_listeners(config, problems);
  check_plugins(config.plugins, problems);
}

} // namespace switchyard::host

#include <host/config/duration.hpp>
#include <host/config/parse.hpp>
#include <host/listen/listening.hpp>
#include <host/reload/difference.hpp>

#include <algorithm>
#include <tuple>

namespace switchyard::host {

namespace {

/// A setting that is one value.
struct Setting {
  std::string_view key;
  std::string value;
  bool fixed = false; ///< for the life of the process
};

std::string text(bool flag) {
  return flag ? "true" : "false";
}

std::string text(const std::vector<std::string>& all) {
  std::string text;
  for (const auto& one : all)
    text += (text.empty() ? "" : ", ") + one;
  return text;
}

std::vector<Setting> settings(const Config& config) {
  const auto& [host, limits, swap] = std::tie(config.host, config.limits, config.swap);
  const auto tls = config.tls.value_or(TlsConfig{});
  const auto exits = host.on_plugin_failure == OnPluginFailure::Exit;
  return {
      {"host.data_dir", host.data_dir, true},
      {"host.plugin_dir", host.plugin_dir, true},
      {"host.control_socket", control_socket(host), true},
      {"host.loops", std::to_string(host.loops), true},
      {"host.log_level", host.log_level},
      {"host.on_plugin_failure", exits ? "exit" : "continue"},
      {"host.trusted_keys", text(host.trusted_keys)},
      {"tls", config.tls ? "there" : "none"},
      {"tls.ca", tls.ca},
      {"tls.certificate", tls.certificate},
      {"tls.key", tls.key},
      {"tls.verify_incoming", text(tls.verify_incoming)},
      {"tls.verify_outgoing", text(tls.verify_outgoing)},
      {"limits.handshake_timeout", format_duration(limits.handshake_timeout)},
      {"limits.connections_per_client", std::to_string(limits.connections_per_client)},
      {"limits.connections", std::to_string(limits.connections)},
      {"limits.drain_timeout", format_duration(limits.drain_timeout)},
      {"limits.dial_timeout", format_duration(limits.dial_timeout)},
      {"limits.probe_timeout", format_duration(limits.probe_timeout)},
      {"limits.control_timeout", format_duration(limits.control_timeout)},
      {"limits.spin", format_duration(limits.spin)},
      {"limits.restart_wait", format_duration(limits.restart_wait)},
      {"limits.restart_delay", format_duration(limits.restart_delay)},
      {"swap.window", format_duration(swap.window)},
      {"swap.health_interval", format_duration(swap.health_interval)},
      {"swap.trial_timeout", format_duration(swap.trial_timeout)},
      {"swap.pause", format_duration(swap.pause)},
      {"swap.errors", std::to_string(swap.errors)},
      {"swap.generations", std::to_string(swap.generations)}};
}

/// Where `key` is said, or else its table; 0 when neither is.
std::uint32_t line_of(const Config& config, std::string_view key) {
  auto found = config.lines.find(key);
  if (found == config.lines.end()) found = config.lines.find(key.substr(0, key.find('.')));
  return found == config.lines.end() ? 0 : found->second;
}

void compare_settings(const Config& before, const Config& after, Difference& found) {
  const auto old = settings(before);
  const auto now = settings(after);
  for (std::size_t i = 0; i < now.size(); ++i) {
    const auto& [key, value, fixed] = now[i];
    if (value == old[i].value) continue;
    found.changes.push_back({"setting", std::string{key}, "changed", old[i].value, value});
    if (!fixed) continue;
    found.fixed.push_back(
        {line_of(after, key),
         std::string{key},
         "cannot change from \"" + old[i].value + "\" to \"" + value +
             "\" while the server runs: restart it, or undo this"});
  }
}

bool same(const ListenerConfig& a, const ListenerConfig& b) {
  return a.name == b.name && same_sockets(a, b) && a.protocol == b.protocol && a.tls == b.tls &&
         a.verify_incoming == b.verify_incoming && a.insecure == b.insecure;
}

void compare_listeners(const Config& before, const Config& after, Difference& found) {
  const auto named = [](const Config& in, const std::string& name) {
    const auto at = std::ranges::find(in.listeners, name, &ListenerConfig::name);
    return at == in.listeners.end() ? nullptr : &*at;
  };
  for (const auto& listener : after.listeners) {
    const auto* old = named(before, listener.name);
    if (old == nullptr) {
      found.changes.push_back({"listener", listener.name, "added", "", listener.address});
    } else if (!same(*old, listener)) {
      found.changes.push_back(
          {"listener", listener.name, "changed", old->address, listener.address});
    }
  }
  for (const auto& listener : before.listeners) {
    if (named(after, listener.name) == nullptr)
      found.changes.push_back({"listener", listener.name, "removed", listener.address});
  }
}

bool same_routes(const std::vector<RouteConfig>& a, const std::vector<RouteConfig>& b) {
  return std::ranges::equal(a, b, [](const RouteConfig& one, const RouteConfig& other) {
    return one.protocol == other.protocol && one.tag == other.tag && one.alpn == other.alpn;
  });
}

void compare_plugins(const Config& before, const Config& after, Difference& found) {
  for (std::size_t at = 0; at < after.plugins.size(); ++at) {
    const auto& plugin = after.plugins[at];
    const auto old = std::ranges::find(before.plugins, plugin.name, &PluginConfig::name);
    if (old == before.plugins.end()) {
      found.plugins.added.push_back(at);
      found.changes.push_back({"plugin", plugin.name, "added"});
    } else if (*old != plugin) {
      found.plugins.changed.push_back(at);
      found.changes.push_back({"plugin", plugin.name, "changed"});
    } else {
      found.plugins.unchanged.push_back(at);
      if (!same_routes(old->routes, plugin.routes))
        found.changes.push_back({"plugin", plugin.name, "rerouted"});
    }
  }
  for (const auto& plugin : before.plugins) {
    if (std::ranges::find(after.plugins, plugin.name, &PluginConfig::name) != after.plugins.end())
      continue;
    found.plugins.removed.push_back(plugin.name);
    found.changes.push_back({"plugin", plugin.name, "removed"});
  }
}

} // namespace

Difference difference(const Config& before, const Config& after) {
  Difference found;
  compare_settings(before, after, found);
  compare_listeners(before, after, found);
  compare_plugins(before, after, found);
  return found;
}

} // namespace switchyard::host

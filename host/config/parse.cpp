#include "parse.hpp"

#include "address.hpp"
#include "duration.hpp"
#include "nearest.hpp"
#include "rules.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <span>
#include <utility>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

namespace switchyard::host {
namespace {

namespace json = boost::json;
using std::chrono::microseconds;

constexpr std::size_t kFileSizeMax = 1 << 20;
constexpr std::size_t kNameSizeMax = 64;
constexpr std::size_t kAlpnSizeMax = 255; // one length byte; source: RFC 7301 §3.1
constexpr int kJsonDepthMax = 32; // what a JSON parser on the plugin's side takes by default

constexpr microseconds kNoTime{0};
constexpr microseconds kShortest = std::chrono::milliseconds{1};
constexpr microseconds kLongest = std::chrono::hours{24};
constexpr microseconds kSpinMax = std::chrono::milliseconds{1};

std::uint32_t line_of(const toml::source_region& source) {
  return source.begin.line;
}

std::string_view kind_of(const toml::node& node) {
  switch (node.type()) {
  case toml::node_type::table: return "a table";
  case toml::node_type::array: return "an array";
  case toml::node_type::string: return "a string";
  case toml::node_type::integer: return "an integer";
  case toml::node_type::floating_point: return "a float";
  case toml::node_type::boolean: return "true or false";
  default: return "a date or time";
  }
}

std::string quoted(std::string_view text) {
  return "\"" + std::string{text} + "\"";
}

std::string join(std::span<const std::string_view> words) {
  std::string all;
  for (const auto word : words)
    all += (all.empty() ? "" : ", ") + std::string{word};
  return all;
}

/// A name that can stand in a log line, a file name and a metric.
bool is_name(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  };
  return !text.empty() && text.size() <= kNameSizeMax && std::ranges::all_of(text, fits);
}

constexpr std::string_view kNameRule = "takes 1 to 64 characters of a-z, 0-9, '_', '-' and '.'";

/// One table of the file while it is read. Every key asked for is known; finish() reports the
/// others.
class Section {
public:
  Section(const toml::table& table, std::string path, std::vector<Problem>& problems)
      : table_{table}, path_{std::move(path)}, problems_{problems} {}

  [[nodiscard]] Place place() const { return {line_of(table_.source())}; }

  [[nodiscard]] std::vector<Problem>& problems() const { return problems_; }

  [[nodiscard]] std::string path_to(std::string_view key) const {
    return path_.empty() ? std::string{key} : path_ + "." + std::string{key};
  }

  /// Reports `text` at the value of `key`, or at the table when there is none.
  void report(std::string_view key, std::string text) {
    const auto* node = table_.get(key);
    const auto line = line_of(node != nullptr ? node->source() : table_.source());
    problems_.push_back({line, path_to(key), std::move(text)});
  }

  /// The value of `key`, or null.
  [[nodiscard]] const toml::node* find(std::string_view key) {
    known_.push_back(key);
    return table_.get(key);
  }

  /// The value of `key` as a T, or null: it is absent, or of another type and that was reported.
  template <class T>
  [[nodiscard]] const T* find(std::string_view key, std::string_view expected) {
    const auto* node = find(key);
    if (node == nullptr) return nullptr;
    const auto* typed = node->as<T>();
    if (typed == nullptr) {
      report(key, "takes " + std::string{expected} + ", not " + std::string{kind_of(*node)});
    }
    return typed;
  }

  /// Reads a string that must not be empty. False when it is absent or wrong.
  bool read(std::string_view key, std::string& into) {
    const auto* value = find<toml::value<std::string>>(key, "a string");
    if (value == nullptr) return false;
    into = value->get();
    const auto usable = !into.empty() && into.find('\0') == std::string::npos;
    if (!usable) report(key, "must not be empty or hold a NUL");
    return usable;
  }

  void read(std::string_view key, bool& into) {
    if (const auto* value = find<toml::value<bool>>(key, "true or false")) into = value->get();
  }

  /// Reads an integer from 0 to `max`. False when it is absent or wrong.
  template <class Integer>
  bool read(std::string_view key, Integer& into, std::int64_t max) {
    const auto* value = find<toml::value<std::int64_t>>(key, "an integer");
    if (value == nullptr) return false;
    const auto fits = value->get() >= 0 && value->get() <= max;
    if (fits) {
      into = static_cast<Integer>(value->get());
    } else {
      report(key, "takes 0 to " + std::to_string(max) + ", not " + std::to_string(value->get()));
    }
    return fits;
  }

  template <class Rep, class Period>
  void read(
      std::string_view key,
      std::chrono::duration<Rep, Period>& into,
      microseconds min,
      microseconds max) {
    const auto* value = find<toml::value<std::string>>(key, "a duration such as \"5s\"");
    if (value == nullptr) return;

    const auto duration = parse_duration(value->get());
    using Into = std::chrono::duration<Rep, Period>;
    if (!duration) {
      report(
          key,
          quoted(value->get()) + " is no duration; write \"30us\", \"250ms\", \"5s\" or \"2m\"");
    } else if (*duration < min || *duration > max || *duration % Into{1} != kNoTime) {
      report(
          key,
          "takes " + format_duration(min) + " to " + format_duration(max) + " in steps of " +
              format_duration(Into{1}) + ", not " + value->get());
    } else {
      into = std::chrono::duration_cast<Into>(*duration);
    }
  }

  /// Calls `each(table, path)` for the tables of the array `key`.
  template <class Each>
  void read_tables(std::string_view key, const Each& each) {
    const auto* array = find<toml::array>(key, "tables, written [[" + path_to(key) + "]]");
    for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
      const auto path = path_to(key) + "[" + std::to_string(i) + "]";
      if (const auto* table = array->get(i)->as_table()) {
        each(*table, path);
      } else {
        problems_.push_back({line_of(array->get(i)->source()), path, "takes a table"});
      }
    }
  }

  void require(std::string_view key, std::string_view what) {
    if (table_.get(key) == nullptr) report(key, "must be set: " + std::string{what});
  }

  void finish() {
    for (const auto& [key, value] : table_) {
      if (std::ranges::find(known_, key.str()) != known_.end()) continue;
      const auto near = nearest(key.str(), known_);
      const auto right =
          near.empty() ? "this table takes " + join(known_) : "did you mean " + quoted(near) + "?";
      problems_.push_back({line_of(key.source()), path_to(key.str()), "no such key; " + right});
    }
  }

private:
  const toml::table& table_;
  std::string path_;
  std::vector<Problem>& problems_;
  std::vector<std::string_view> known_;
};

/// Turns the TOML of a plugin's configuration into JSON; reports what JSON cannot say.
json::value
to_json(const toml::node& node, const Section& section, const std::string& path, int depth);

json::value
to_json(const toml::table& table, const Section& section, const std::string& path, int depth) {
  json::object object;
  for (const auto& [key, value] : table) {
    const auto inner = path + "." + std::string{key.str()};
    object.emplace(key.str(), to_json(value, section, inner, depth + 1));
  }
  return object;
}

json::value
to_json(const toml::array& array, const Section& section, const std::string& path, int depth) {
  json::array values;
  for (std::size_t i = 0; i < array.size(); ++i) {
    const auto inner = path + "[" + std::to_string(i) + "]";
    values.push_back(to_json(*array.get(i), section, inner, depth + 1));
  }
  return values;
}

json::value
to_json(const toml::node& node, const Section& section, const std::string& path, int depth) {
  const auto refuse = [&](std::string text) {
    section.problems().push_back({line_of(node.source()), path, std::move(text)});
    return json::value{};
  };
  if (depth > kJsonDepthMax) {
    return refuse("is nested more than " + std::to_string(kJsonDepthMax) + " deep");
  }
  if (const auto* table = node.as_table()) return to_json(*table, section, path, depth);
  if (const auto* array = node.as_array()) return to_json(*array, section, path, depth);
  if (const auto* text = node.as_string()) return json::value(text->get());
  if (const auto* integer = node.as_integer()) return integer->get();
  if (const auto* flag = node.as_boolean()) return flag->get();
  if (const auto* number = node.as_floating_point()) {
    if (std::isfinite(number->get())) return number->get();
    return refuse("takes a finite number");
  }
  return refuse("cannot be " + std::string{kind_of(node)} + "; write it as a string");
}

void read_host(Section section, HostConfig& host) {
  constexpr std::string_view kLevels[] = {"trace", "debug", "info", "warn", "error"};
  host.place = section.place();
  section.read("data_dir", host.data_dir);
  section.read("plugin_dir", host.plugin_dir);
  section.read("control_socket", host.control_socket);
  section.read("loops", host.loops, 1024);
  if (section.read("log_level", host.log_level) &&
      std::ranges::find(kLevels, host.log_level) == std::end(kLevels)) {
    section.report(
        "log_level", "takes one of " + join(kLevels) + ", not " + quoted(host.log_level));
  }
  section.finish();
}

void read_tls(Section section, TlsConfig& tls) {
  tls.place = section.place();
  section.read("ca", tls.ca);
  section.read("certificate", tls.certificate);
  section.read("key", tls.key);
  section.read("verify_incoming", tls.verify_incoming);
  section.read("verify_outgoing", tls.verify_outgoing);
  section.finish();
}

void read_limits(Section section, Limits& limits) {
  section.read("handshake_timeout", limits.handshake_timeout, kShortest, kLongest);
  section.read("connections_per_client", limits.connections_per_client, 10'000'000);
  section.read("connections", limits.connections, 10'000'000);
  section.read("drain_timeout", limits.drain_timeout, kNoTime, kLongest);
  section.read("dial_timeout", limits.dial_timeout, kShortest, kLongest);
  section.read("probe_timeout", limits.probe_timeout, kShortest, kLongest);
  section.read("control_timeout", limits.control_timeout, kShortest, kLongest);
  section.read("spin", limits.spin, kNoTime, kSpinMax);
  section.finish();
}

ListenerConfig read_listener(Section section) {
  ListenerConfig listener;
  listener.place = section.place();
  section.require("name", "what the log and status call this listener");
  section.require("address", "for example \"127.0.0.1:8300\"");
  if (section.read("name", listener.name) && !is_name(listener.name)) {
    section.report("name", std::string{kNameRule});
  }
  if (section.read("address", listener.address) && !parse_address(listener.address)) {
    section.report(
        "address",
        quoted(listener.address) + " is no address; write \"127.0.0.1:8300\" or \"[::1]:8300\"");
  }
  if (section.read("protocol", listener.protocol) && !is_name(listener.protocol)) {
    section.report("protocol", std::string{kNameRule});
  }
  section.read("insecure", listener.insecure);
  section.finish();
  return listener;
}

/// Tags the opening can never report: 03 starts TLS, 14 to 17 are TLS records (RFC 8446 §5.1).
bool is_reserved_tag(std::uint8_t tag) {
  return tag == 0x03 || (tag >= 0x14 && tag <= 0x17);
}

RouteConfig read_route(Section section) {
  RouteConfig route;
  route.place = section.place();
  section.require("protocol", "the protocol of the plugin's manifest whose route this is");
  section.read("protocol", route.protocol);
  if (std::uint8_t tag = 0; section.read("tag", tag, 255)) {
    route.tag = tag;
    if (is_reserved_tag(tag)) {
      section.report(
          "tag", std::to_string(tag) + " means TLS; take another one than 3 and 20 to 23");
    }
  }
  if (std::string alpn; section.read("alpn", alpn)) {
    if (alpn.size() > kAlpnSizeMax) section.report("alpn", "takes at most 255 bytes");
    route.alpn = std::move(alpn);
  }
  if (!route.tag && !route.alpn) {
    section.report("tag", "must be set, or alpn, or both: a route without them leads nowhere");
  }
  section.finish();
  return route;
}

PluginConfig read_plugin(std::string name, Section section) {
  PluginConfig plugin;
  plugin.place = section.place();
  plugin.name = std::move(name);
  section.require("library", "the plugin's file, such as \"" + plugin.name + ".so\"");
  section.read("library", plugin.library);
  plugin.config = "{}";
  if (const auto* config = section.find<toml::table>("config", "a table")) {
    plugin.config = json::serialize(to_json(*config, section, section.path_to("config"), 1));
  }
  section.read_tables("route", [&](const toml::table& table, const std::string& path) {
    plugin.routes.push_back(read_route({table, path, section.problems()}));
  });
  section.finish();
  return plugin;
}

std::vector<PluginConfig> read_plugins(const toml::table& table, std::vector<Problem>& problems) {
  std::vector<PluginConfig> plugins;
  for (const auto& [key, value] : table) {
    const auto name = std::string{key.str()};
    const auto path = "plugin." + name;
    if (!is_name(name)) {
      problems.push_back({line_of(key.source()), path, std::string{kNameRule}});
    } else if (const auto* inner = value.as_table()) {
      plugins.push_back(read_plugin(name, {*inner, path, problems}));
    } else {
      problems.push_back({line_of(key.source()), path, "takes a table, written [" + path + "]"});
    }
  }
  // The table is sorted by name; an operator thinks in the order of the file.
  std::ranges::stable_sort(plugins, {}, [](const auto& plugin) { return plugin.place.line; });
  return plugins;
}

Config read_config(const toml::table& root, std::vector<Problem>& problems) {
  Config config;
  Section section{root, {}, problems};
  if (const auto* table = section.find<toml::table>("host", "a table, written [host]")) {
    read_host({*table, "host", problems}, config.host);
  }
  if (const auto* table = section.find<toml::table>("tls", "a table, written [tls]")) {
    read_tls({*table, "tls", problems}, config.tls.emplace());
  }
  if (const auto* table = section.find<toml::table>("limits", "a table, written [limits]")) {
    read_limits({*table, "limits", problems}, config.limits);
  }
  section.read_tables("listener", [&](const toml::table& table, const std::string& path) {
    config.listeners.push_back(read_listener({table, path, problems}));
  });
  if (const auto* table = section.find<toml::table>("plugin", "tables, written [plugin.NAME]")) {
    config.plugins = read_plugins(*table, problems);
  }
  section.finish();
  return config;
}

ConfigError cannot_read(const std::string& file, const std::string& why) {
  return {file, {{0, {}, why}}};
}

} // namespace

boost::system::result<Config, ConfigError> parse(std::string_view text, const std::string& file) {
  const auto parsed = toml::parse(text);
  if (!parsed) {
    const auto& error = parsed.error();
    return ConfigError{file, {{line_of(error.source()), {}, std::string{error.description()}}}};
  }

  std::vector<Problem> problems;
  auto config = read_config(parsed.table(), problems);
  config.file = file;
  check_rules(config, problems);
  if (problems.empty()) return config;
  std::ranges::stable_sort(problems, {}, &Problem::line);
  return ConfigError{file, std::move(problems)};
}

boost::system::result<Config, ConfigError> load(const std::string& file) {
  std::ifstream input{file, std::ios::binary};
  if (!input) {
    const auto why = boost::system::error_code{errno, boost::system::system_category()}.message();
    return cannot_read(file, "cannot be read: " + why + "; --config FILE names another file");
  }
  std::string text(kFileSizeMax + 1, '\0');
  input.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (input.bad()) return cannot_read(file, "cannot be read: is it a directory?");
  text.resize(static_cast<std::size_t>(input.gcount()));
  if (text.size() > kFileSizeMax) return cannot_read(file, "is larger than 1 MiB");
  return parse(text, file);
}

std::string control_socket(const HostConfig& host) {
  return host.control_socket.empty() ? host.data_dir + "/control.sock" : host.control_socket;
}

} // namespace switchyard::host

#include <switchyard/failure.hpp>

#include <plugins/raft/driver/config.hpp>

#include <boost/json/src.hpp>

#include <charconv>
#include <functional>
#include <map>
#include <optional>

namespace switchyard::raft {
namespace {

namespace json = boost::json;

[[noreturn]] void refuse(std::string_view key, std::string_view wanted) {
  std::string text{"config"};
  if (!key.empty()) text.append(".").append(key);
  throw Failure{SY_INVALID, text.append(": must be ").append(wanted)};
}

std::optional<Duration> duration(std::string_view text) {
  constexpr struct {
    std::string_view name;
    Duration unit;
  } kUnits[] = {
      {"ms", std::chrono::milliseconds{1}},
      {"s", std::chrono::seconds{1}},
      {"m", std::chrono::minutes{1}}};

  constexpr Duration kLongest = std::chrono::hours{1};

  std::uint32_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  for (const auto& [name, unit] : kUnits) {
    if (text == name && count <= kLongest / unit) return count * unit;
  }
  return std::nullopt;
}

void read(const json::value& value, std::string_view key, Duration& into) {
  const auto* text = value.if_string();
  const auto parsed = text == nullptr ? std::nullopt : duration(*text);
  if (!parsed || *parsed < std::chrono::milliseconds{5}) {
    refuse(key, "a duration such as \"1s\" or \"250ms\", from 5ms to an hour");
  }
  into = *parsed;
}

template <class Number>
void read(
    const json::value& value,
    std::string_view key,
    Number& into,
    std::int64_t least,
    std::int64_t most) {
  json::error_code error;
  const auto number = value.to_number<std::int64_t>(error);
  if (error || number < least || number > most) {
    refuse(key, "a number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  into = static_cast<Number>(number);
}

void read(const json::value& value, std::string_view key, bool& into) {
  if (!value.is_bool()) refuse(key, "true or false");
  into = value.get_bool();
}

void read(const json::value& value, std::string_view key, std::string& into) {
  const auto* text = value.if_string();
  if (text == nullptr || text->empty() || text->size() > 1024) {
    refuse(key, "a text of 1 to 1024 bytes");
  }
  into = std::string_view{*text};
}

void read_address(const json::value& value, std::string_view key, std::string& into) {
  read(value, key, into);
  const auto colon = into.rfind(':');
  std::uint16_t port = 0;
  if (colon != std::string::npos && colon > 0) {
    const auto [end, error] = std::from_chars(&into[colon + 1], into.data() + into.size(), port);
    if (error != std::errc{} || end != into.data() + into.size()) port = 0;
  }
  if (port == 0) refuse(key, "\"host:port\", what other servers dial");
}

void read_servers(const json::value& value, raftwire::Configuration& into) {
  constexpr std::string_view kWanted =
      "true, or a list of { node, address, voter } of all founders";
  const auto* list = value.if_array();
  if (list == nullptr) refuse("bootstrap", kWanted);
  for (const auto& element : *list) {
    const auto* table = element.if_object();
    if (table == nullptr) refuse("bootstrap", kWanted);
    raftwire::Server server;
    bool voter = true;
    for (const auto& [key, item] : *table) {
      if (key == "node") {
        read(item, "bootstrap.node", server.id);
      } else if (key == "address") {
        read_address(item, "bootstrap.address", server.address);
      } else if (key == "voter") {
        read(item, "bootstrap.voter", voter);
      } else {
        refuse("bootstrap", kWanted);
      }
    }
    server.suffrage = voter ? raftwire::Suffrage::Voter : raftwire::Suffrage::Nonvoter;
    into.servers.push_back(std::move(server));
  }
}

} // namespace

Config parse_config(std::string_view text) {
  json::error_code error;
  const auto parsed = json::parse(text.empty() ? "{}" : text, error);
  if (error || !parsed.is_object()) refuse("", "a table");

  Config config;
  auto& node = config.node;
  auto& core = node.core;
  core.address = "127.0.0.1:8300";
  node.data_dir = "data/raft";
  std::string datacenter = "dc1";
  std::string domain = "consul";
  bool alone = false;

  const std::map<std::string_view, std::function<void(const json::value&, std::string_view)>> keys{
      {"node", [&](auto& v, auto k) { read(v, k, core.id); }},
      {"address", [&](auto& v, auto k) { read_address(v, k, core.address); }},
      {"data_dir", [&](auto& v, auto k) { read(v, k, node.data_dir); }},
      {"bootstrap",
       [&](auto& v, auto k) {
         if (v.is_bool()) return read(v, k, alone);
         read_servers(v, config.founders);
       }},
      {"datacenter", [&](auto& v, auto k) { read(v, k, datacenter); }},
      {"domain", [&](auto& v, auto k) { read(v, k, domain); }},
      {"heartbeat_timeout", [&](auto& v, auto k) { read(v, k, core.heartbeat_timeout); }},
      {"election_timeout", [&](auto& v, auto k) { read(v, k, core.election_timeout); }},
      {"lease_timeout", [&](auto& v, auto k) { read(v, k, core.lease_timeout); }},
      {"commit_timeout", [&](auto& v, auto k) { read(v, k, core.commit_timeout); }},
      {"io_timeout", [&](auto& v, auto k) { read(v, k, config.io_timeout); }},
      {"max_append_entries", [&](auto& v, auto k) { read(v, k, core.entries_max, 1, 1024); }},
      {"max_pipeline", [&](auto& v, auto k) { read(v, k, core.pipeline_max, 1, 1024); }},
      {"max_calls", [&](auto& v, auto k) { read(v, k, core.calls_max, 1, 1'000'000); }},
      {"max_entry_bytes",
       [&](auto& v, auto k) { read(v, k, node.entry_bytes_max, 1024, 256 << 20); }},
      {"max_request_bytes",
       [&](auto& v, auto k) {
         read(v, k, config.limits.object.bytes_max, 65536, std::int64_t{1} << 30);
       }},
      {"segment_bytes",
       [&](auto& v, auto k) { read(v, k, node.log.segment_bytes, 65536, 1 << 30); }},
      {"recent_bytes", [&](auto& v, auto k) { read(v, k, node.log.recent_bytes, 0, 1 << 30); }},
      {"snapshot_threshold",
       [&](auto& v, auto k) { read(v, k, node.snapshot_threshold, 1, std::int64_t{1} << 40); }},
      {"trailing_entries",
       [&](auto& v, auto k) { read(v, k, core.trailing_entries, 0, std::int64_t{1} << 40); }},
      {"pre_vote", [&](auto& v, auto k) { read(v, k, core.pre_vote); }},
      {"old_header", [&](auto& v, auto k) {
         bool old = false;
         read(v, k, old);
         if (old) core.header_form = raftwire::HeaderForm::Old;
       }}};

  for (const auto& [key, value] : parsed.get_object()) {
    const auto known = keys.find(std::string_view{key});
    if (known == keys.end()) {
      std::string names;
      for (const auto& [name, _] : keys)
        names.append(names.empty() ? "" : ", ").append(name);
      throw Failure{SY_INVALID, "config." + std::string{key} + ": no such key; known are " + names};
    }
    known->second(value, key);
  }
  if (core.id.empty()) refuse("node", "the name of this server, and given");
  if (core.election_timeout < core.heartbeat_timeout) {
    refuse("election_timeout", "at least heartbeat_timeout");
  }
  if (core.lease_timeout > core.heartbeat_timeout) {
    refuse("lease_timeout", "at most heartbeat_timeout");
  }
  if (alone) config.founders.servers = {{raftwire::Suffrage::Voter, core.id, core.address}};
  if (!config.founders.servers.empty()) {
    const auto* self = config.founders.find(core.id);
    if (!config.founders.valid()) {
      refuse("bootstrap", "a list without a node or address twice, and with a voter");
    }
    if (self == nullptr || self->address != core.address) {
      refuse("bootstrap", "a list with this node and its address in it");
    }
  }
  config.server_name = "server." + datacenter + "." + domain;
  return config;
}

} // namespace switchyard::raft

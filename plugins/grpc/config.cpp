#include <switchyard/failure.hpp>

#include <plugins/grpc/config.hpp>

#include <boost/json/src.hpp>

#include <charconv>
#include <optional>

namespace switchyard::grpc {
namespace {

namespace json = boost::json;

[[noreturn]] void refuse(const std::string& key, std::string_view wanted) {
  throw Failure{SY_INVALID, (key + ": must be ").append(wanted)};
}

std::optional<std::chrono::nanoseconds> duration(std::string_view text) {
  constexpr struct {
    std::string_view name;
    std::uint64_t nanoseconds;
  } kUnits[] = {{"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60'000'000'000}};

  std::uint32_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  for (const auto& unit : kUnits) {
    if (text == unit.name) return std::chrono::nanoseconds{count * unit.nanoseconds};
  }
  return std::nullopt;
}

void read(const json::value& value, const std::string& key, std::chrono::nanoseconds& into) {
  const auto* text = value.if_string();
  const auto parsed = text == nullptr ? std::nullopt : duration(*text);
  if (!parsed || parsed->count() == 0 || *parsed > std::chrono::hours{24}) {
    refuse(key, "a duration such as \"10s\", \"500ms\" or \"2m\", up to a day");
  }
  into = *parsed;
}

void read(
    const json::value& value,
    const std::string& key,
    std::uint32_t& into,
    std::uint32_t least,
    std::uint32_t most) {
  json::error_code error;
  const auto number = value.to_number<std::int64_t>(error);
  if (error || number < std::int64_t{least} || number > std::int64_t{most}) {
    refuse(key, "a number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  into = static_cast<std::uint32_t>(number);
}

void read(const json::value& value, const std::string& key, std::vector<std::string>& into) {
  const auto* names = value.if_array();
  if (names == nullptr) refuse(key, "a list of names of listeners");
  for (const auto& name : *names) {
    const auto* text = name.if_string();
    if (text == nullptr || text->empty()) refuse(key, "a list of names of listeners");
    into.emplace_back(*text);
  }
}

void read_where(const json::value& value, const std::string& key, std::uint32_t& into) {
  std::vector<std::string> names;
  constexpr auto kAllowed = "a list of \"internal\" and \"external\"";
  if (!value.is_array()) refuse(key, kAllowed);
  read(value, key, names);
  into = 0;
  for (const auto& name : names) {
    if (name != "internal" && name != "external") refuse(key, kAllowed);
    into |= name == "internal" ? SY_GRPC_ON_INTERNAL : SY_GRPC_ON_EXTERNAL;
  }
}

[[noreturn]] void refuse_unknown(const std::string& key, std::string_view known) {
  throw Failure{SY_INVALID, (key + ": no such key; known are ").append(known)};
}

void read(const json::value& value, const std::string& place, ServerConfig& into) {
  const auto* table = value.if_object();
  if (table == nullptr) refuse(place, "a table");
  for (const auto& [name, entry] : *table) {
    const auto key = place + '.' + std::string{name};
    if (name == "max_receive_bytes") {
      read(entry, key, into.max_receive_bytes, 1024, 1U << 30);
    } else if (name == "max_streams") {
      read(entry, key, into.max_streams, 1, 1U << 20);
    } else {
      refuse_unknown(key, "max_receive_bytes and max_streams");
    }
  }
}

} // namespace

http2::Limits ServerConfig::walker_limits() const {
  http2::Limits limits;
  limits.streams_max = std::size_t{2} * max_streams;
  limits.resets.burst = std::max(limits.resets.burst, max_streams);
  return limits;
}

Config parse_config(std::string_view text) {
  json::error_code error;
  const auto parsed = json::parse(text.empty() ? "{}" : text, error);
  if (error || !parsed.is_object()) refuse("config", "a table");

  Config config;
  for (const auto& [name, value] : parsed.get_object()) {
    const auto key = "config." + std::string{name};
    if (name == "internal") {
      read(value, key, config.internal);
    } else if (name == "external") {
      read(value, key, config.external);
    } else if (name == "handshake_timeout") {
      read(value, key, config.handshake_timeout);
    } else if (name == "keepalive_interval") {
      read(value, key, config.keepalive_interval);
    } else if (name == "keepalive_timeout") {
      read(value, key, config.keepalive_timeout);
    } else if (name == "min_ping_interval") {
      read(value, key, config.min_ping_interval);
    } else if (name == "write_timeout") {
      read(value, key, config.write_timeout);
    } else if (name == "reflection") {
      read_where(value, key, config.reflection);
    } else if (name == "direct_listeners") {
      read(value, key, config.direct_listeners);
    } else if (name == "max_connection_age") {
      read(value, key, config.max_connection_age);
    } else {
      refuse_unknown(
          key,
          "internal, external, handshake_timeout, keepalive_interval, keepalive_timeout, "
          "min_ping_interval, write_timeout, reflection, direct_listeners and max_connection_age");
    }
  }
  return config;
}

} // namespace switchyard::grpc

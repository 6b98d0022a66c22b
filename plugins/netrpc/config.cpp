#include <switchyard/failure.hpp>

#include <plugins/netrpc/config.hpp>

#include <boost/json/src.hpp>

#include <charconv>
#include <optional>

namespace switchyard::netrpc {
namespace {

namespace json = boost::json;

[[noreturn]] void refuse(std::string_view key, std::string_view wanted) {
  std::string text{"config"};
  if (!key.empty()) text.append(".").append(key);
  throw Failure{SY_INVALID, text.append(": must be ").append(wanted)};
}

constexpr std::chrono::nanoseconds kLongest = std::chrono::hours{24};

/// Nothing for what is no duration, or longer than a day.
std::optional<std::chrono::nanoseconds> duration(std::string_view text) {
  constexpr struct {
    std::string_view name;
    std::chrono::nanoseconds unit;
  } kUnits[] = {
      {"ms", std::chrono::milliseconds{1}},
      {"s", std::chrono::seconds{1}},
      {"m", std::chrono::minutes{1}}};

  std::uint32_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  for (const auto& [name, unit] : kUnits) {
    if (text == name && count <= kLongest / unit) return count * unit;
  }
  return std::nullopt;
}

void read(const json::value& value, std::string_view key, std::chrono::nanoseconds& into) {
  const auto* text = value.if_string();
  const auto parsed = text == nullptr ? std::nullopt : duration(*text);
  if (!parsed || parsed->count() == 0) {
    refuse(key, "a duration such as \"10s\", \"500ms\" or \"2m\", up to a day");
  }
  into = *parsed;
}

void read(
    const json::value& value,
    std::string_view key,
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

} // namespace

yamux::Limits Config::yamux_limits() const {
  return {.streams_max = max_streams, .keepalive_interval = keepalive_interval};
}

Config parse_config(std::string_view text) {
  json::error_code error;
  const auto parsed = json::parse(text.empty() ? "{}" : text, error);
  if (error || !parsed.is_object()) refuse("", "a table");

  Config config;
  for (const auto& [key, value] : parsed.get_object()) {
    if (key == "max_body_bytes") {
      read(value, key, config.max_body_bytes, 1024, 1U << 30);
    } else if (key == "max_streams") {
      read(value, key, config.max_streams, 1, 65'536);
    } else if (key == "request_timeout") {
      read(value, key, config.request_timeout);
    } else if (key == "write_timeout") {
      read(value, key, config.write_timeout);
    } else if (key == "keepalive_interval") {
      read(value, key, config.keepalive_interval);
    } else {
      throw Failure{
          SY_INVALID,
          "config." + std::string{key} +
              ": no such key; known are max_body_bytes, max_streams, request_timeout, "
              "write_timeout "
              "and keepalive_interval"};
    }
  }
  return config;
}

} // namespace switchyard::netrpc

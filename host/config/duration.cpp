#include "duration.hpp"

#include <charconv>
#include <cstdint>

namespace switchyard::host {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t microseconds;
};

// Largest first, so that format_duration finds the shortest text.
constexpr Unit kUnits[] = {
    {"h", 3'600'000'000}, {"m", 60'000'000}, {"s", 1'000'000}, {"ms", 1'000}, {"us", 1}};

} // namespace

std::optional<std::chrono::microseconds> parse_duration(std::string_view text) {
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{}) return std::nullopt;

  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  for (const auto& unit : kUnits) {
    if (text != unit.name) continue;
    if (count > static_cast<std::uint64_t>(INT64_MAX / unit.microseconds)) return std::nullopt;
    return std::chrono::microseconds{static_cast<std::int64_t>(count) * unit.microseconds};
  }
  return std::nullopt;
}

std::string format_duration(std::chrono::microseconds duration) {
  for (const auto& unit : kUnits) {
    if (duration.count() != 0 && duration.count() % unit.microseconds == 0) {
      return std::to_string(duration.count() / unit.microseconds) + std::string{unit.name};
    }
  }
  return "0s";
}

} // namespace switchyard::host

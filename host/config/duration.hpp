#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace switchyard::host {

/// Reads "30us", "250ms", "5s", "2m" or "1h": digits and one unit, nothing else. nullopt for any
/// other text and for what does not fit. Pure.
[[nodiscard]] std::optional<std::chrono::microseconds> parse_duration(std::string_view text);

/// Inverse of parse_duration, in the largest unit that loses nothing.
[[nodiscard]] std::string format_duration(std::chrono::microseconds duration);

} // namespace switchyard::host

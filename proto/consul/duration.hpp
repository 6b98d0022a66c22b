#pragma once

#include <boost/system/result.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace switchyard::consul {

/// Why a text is no duration, in the words of Go's time.ParseDuration.
struct NoDuration {
  std::string sentence;
};

/// Reads a duration as Go writes them, "1h30m0.5s" or "0". Source: Go's package time.
[[nodiscard]] boost::system::result<std::chrono::nanoseconds, NoDuration>
parse_duration(std::string_view text);

/// Writes one as Go does: "1h30m0.5s", "12.345ms", "0s".
[[nodiscard]] std::string format_duration(std::chrono::nanoseconds duration);

} // namespace switchyard::consul

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// What is said on the wire: a line comes, "hello, LINE" goes. Bytes in, bytes out: no connection,
// clock or thread, so that a test needs none either.

inline constexpr std::size_t kLineMax = 200; ///< bytes of a line, its end included

/// The first line of `said`, its '\n' included; empty when there is no whole one yet.
[[nodiscard]] std::string_view first_line(std::string_view said);

[[nodiscard]] std::string greeting(std::string_view line);

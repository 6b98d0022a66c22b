#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard::test {

using Bytes = std::vector<std::byte>;

/// Bytes from a readable notation: hexadecimal pairs, 'text' in single quotes, blanks anywhere.
/// wire("a3 'Seq' 01") is a3 53 65 71 01.
inline Bytes wire(std::string_view notation) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  Bytes bytes;
  for (std::size_t i = 0; i < notation.size(); ++i) {
    if (notation[i] == ' ') continue;
    if (notation[i] == '\'') {
      for (++i; notation.at(i) != '\''; ++i)
        bytes.push_back(static_cast<std::byte>(notation[i]));
      continue;
    }
    const auto high = kDigits.find(notation[i]);
    const auto low = kDigits.find(notation.at(++i));
    bytes.push_back(static_cast<std::byte>(high << 4 | low));
  }
  return bytes;
}

/// The inverse, all in hexadecimal: what a failing test prints.
inline std::string hex(std::span<const std::byte> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const auto byte : bytes) {
    text += kDigits[std::to_integer<std::size_t>(byte >> 4)];
    text += kDigits[std::to_integer<std::size_t>(byte & std::byte{15})];
  }
  return text;
}

} // namespace switchyard::test

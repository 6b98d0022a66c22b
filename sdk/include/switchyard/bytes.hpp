#pragma once

#include <switchyard/status.h>

#include <cstddef>
#include <span>
#include <string_view>

namespace switchyard {

[[nodiscard]] inline std::string_view view(sy_string text) noexcept {
  return text.size == 0 ? std::string_view{} : std::string_view{text.data, text.size};
}

[[nodiscard]] inline std::span<const std::byte> view(sy_bytes bytes) noexcept {
  return {static_cast<const std::byte*>(bytes.data), bytes.size};
}

/// Borrows `text`, as every sy_string does.
[[nodiscard]] inline sy_string to_c(std::string_view text) noexcept {
  return {text.data(), text.size()};
}

[[nodiscard]] inline sy_bytes to_c(std::span<const std::byte> bytes) noexcept {
  return {bytes.data(), bytes.size()};
}

} // namespace switchyard

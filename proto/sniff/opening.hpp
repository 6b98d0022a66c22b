#pragma once

#include <proto/sniff/tag.hpp>

#include <cstddef>
#include <optional>
#include <span>

namespace switchyard::sniff {

/// How a connection opens, judged from its first bytes alone.
enum class Opening : std::uint8_t {
  Tag,       ///< one byte that names the protocol; the rest belongs to that protocol
  NativeTls, ///< a TLS record; ALPN will name the protocol
};

/// No opening needs more than this many bytes to be told apart.
inline constexpr std::size_t kDecisive = 1;

/// Names the opening, or nullopt while nothing has arrived. Whether native TLS is wanted at all (a
/// server without certificates does not, and inside TLS nobody does) is the caller's to know. Pure.
[[nodiscard]] constexpr std::optional<Opening> classify(std::span<const std::byte> first) noexcept {
  if (first.size() < kDecisive) return std::nullopt;
  return is_client_hello(std::to_integer<std::uint8_t>(first[0])) ? Opening::NativeTls
                                                                  : Opening::Tag;
}

} // namespace switchyard::sniff

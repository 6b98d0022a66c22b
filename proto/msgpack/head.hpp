#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace switchyard::msgpack {

/// What an object is. Source: msgpack spec.md, "Formats".
enum class Kind : std::uint8_t {
  Nil,
  Bool,
  Unsigned, ///< any integer >= 0 that is written in an unsigned format or a positive fixint
  Signed,   ///< a negative fixint or int 8 to 64, which may hold a value >= 0 too
  Float32,
  Float64,
  String, ///< fixstr, str 8 to 32: Go's strings and byte slices
  Binary, ///< bin 8 to 32: read, never written
  Array,
  Map,
  Extension,
  Reserved, ///< c1
};

/// No head is longer than this: a format byte and 8 bytes of number.
inline constexpr std::size_t kHeadSizeMax = 9;

/// The beginning of an object: everything before its payload or its elements.
struct Head {
  Kind kind = Kind::Nil;
  std::uint8_t size = 0; ///< bytes of the head itself

  /// Bool: 0 or 1. Integers: the value, negative ones in two's complement. Floats: the IEEE 754
  /// bits. String, Binary, Extension: bytes of payload that follow the head (an extension's type
  /// byte counts as the last byte of the head). Array: elements. Map: pairs.
  std::uint64_t number = 0;

  friend bool operator==(const Head&, const Head&) = default;
};

/// Reads the head at the start of `bytes`; nullopt while it is cut short. Never nullopt once there
/// are kHeadSizeMax bytes. Pure, no allocation, any thread.
[[nodiscard]] std::optional<Head> decode_head(std::span<const std::byte> bytes) noexcept;

} // namespace switchyard::msgpack

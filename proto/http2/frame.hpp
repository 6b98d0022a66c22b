#pragma once

#include <boost/endian/conversion.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace switchyard::http2 {

/// What a client sends before its first frame. Source: RFC 9113 §3.4.
inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
static_assert(kPreface.size() == 24);

/// What a frame carries; other values exist and are to be ignored. Wire values; source:
/// RFC 9113 §6.
enum class FrameType : std::uint8_t {
  Data = 0,
  Headers = 1,
  Priority = 2,
  RstStream = 3,
  Settings = 4,
  PushPromise = 5,
  Ping = 6,
  GoAway = 7,
  WindowUpdate = 8,
  Continuation = 9,
};

/// Flag bits; what they mean depends on the type. Wire values; source: RFC 9113 §6.
enum class Flag : std::uint8_t {
  EndStream = 0x1,  ///< Data, Headers
  Ack = 0x1,        ///< Settings, Ping
  EndHeaders = 0x4, ///< Headers, Continuation
};

inline constexpr std::size_t kHeaderSize = 9;

// Field offsets, behind length and type, which share the first four bytes; source: RFC 9113 §4.1.
inline constexpr std::size_t kFlagsAt = 4;
inline constexpr std::size_t kStreamAt = 5;
static_assert(kStreamAt + sizeof(std::uint32_t) == kHeaderSize);

/// The largest stream id. Source: RFC 9113 §4.1.
inline constexpr std::uint32_t kLastStream = 0x7fffffff;

/// One decoded frame header. Source: RFC 9113 §4.1.
struct Header {
  std::uint32_t length = 0; ///< bytes of payload, below 2^24
  FrameType type = FrameType::Data;
  std::uint8_t flags = 0;   ///< undefined bits are kept, and ignored
  std::uint32_t stream = 0; ///< 0 addresses the connection; the reserved bit is left out

  [[nodiscard]] bool has(Flag flag) const noexcept {
    return (flags & static_cast<std::uint8_t>(flag)) != 0;
  }

  friend bool operator==(const Header&, const Header&) = default;
};

/// Reads the header in `bytes`; any nine bytes are one. Pure: no state, no allocation, any thread.
/// Inline, because a walk does little else.
[[nodiscard]] inline Header decode_header(std::span<const std::byte, kHeaderSize> bytes) noexcept {
  const auto octets = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto length_and_type = boost::endian::load_big_u32(octets);
  return Header{
      .length = length_and_type >> 8,
      .type = static_cast<FrameType>(length_and_type & 0xff),
      .flags = octets[kFlagsAt],
      .stream = boost::endian::load_big_u32(octets + kStreamAt) & kLastStream};
}

/// Inverse of decode_header: `decode_header(encode_header(h)) == h` for every header within its
/// fields' ranges.
[[nodiscard]] std::array<std::byte, kHeaderSize> encode_header(const Header&) noexcept;

} // namespace switchyard::http2

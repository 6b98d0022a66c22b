#pragma once

#include <proto/yamux/error.hpp>

#include <boost/system/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace switchyard::yamux {

/// What a frame carries. Wire values; source: hashicorp/yamux spec.md, "Type Field".
enum class FrameType : std::uint8_t {
  Data = 0,
  WindowUpdate = 1,
  Ping = 2,
  GoAway = 3,
};

/// Flag bits. Wire values; source: hashicorp/yamux spec.md, "Flag Field".
enum class Flag : std::uint16_t {
  Syn = 1 << 0,
  Ack = 1 << 1,
  Fin = 1 << 2,
  Rst = 1 << 3,
};

/// Reason codes of a GoAway frame. Wire values; source: hashicorp/yamux spec.md, "Go Away".
enum class GoAwayCode : std::uint32_t {
  Normal = 0,
  ProtocolError = 1,
  InternalError = 2,
};

inline constexpr std::size_t kHeaderSize = 12;

/// One decoded frame header. `length` counts payload bytes for Data, window bytes for
/// WindowUpdate, an opaque echo value for Ping, and a reason code for GoAway.
struct Header {
  FrameType type = FrameType::Data;
  std::uint16_t flags = 0;     ///< undefined bits are kept, and ignored
  std::uint32_t stream_id = 0; ///< 0 addresses the session itself
  std::uint32_t length = 0;

  [[nodiscard]] bool has(Flag flag) const noexcept {
    return (flags & static_cast<std::uint16_t>(flag)) != 0;
  }

  friend bool operator==(const Header&, const Header&) = default;
};

/// Reads the header in `bytes`. Pure: no state, no allocation, any thread.
/// Fails with Error::UnknownVersion or Error::UnknownType.
[[nodiscard]] boost::system::result<Header>
decode_header(std::span<const std::byte, kHeaderSize> bytes) noexcept;

/// Inverse of decode_header: `decode_header(encode_header(h)) == h` for every valid `h`.
[[nodiscard]] std::array<std::byte, kHeaderSize> encode_header(const Header&) noexcept;

} // namespace switchyard::yamux

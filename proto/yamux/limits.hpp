#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace switchyard::yamux {

/// What each direction of a stream starts with, and what we let a peer have at most.
/// Source: hashicorp/yamux spec.md, "Flow Control".
inline constexpr std::uint32_t kWindow = 256 * 1024;

/// Bounds of a session. The defaults are those of hashicorp/yamux where it has one.
struct Limits {
  /// Streams open at once, whoever opened them. A SYN beyond is answered with RST.
  std::size_t streams_max = 4096;

  /// Peer's streams not accepted yet (a SYN beyond is answered with RST), and our own ones that
  /// wait for the peer's ACK (open() beyond fails).
  std::size_t accept_backlog = 256;

  /// Bytes in output() from which write() takes no more. Answers to the peer's own frames still
  /// fit until there are twice as many; then the session ends with Error::OutputLimit.
  std::size_t output_bytes_max = 256 * 1024;

  /// A ping is sent when nothing came for this long ...
  std::chrono::nanoseconds keepalive_interval = std::chrono::seconds{30};

  /// ... and the session ends when then nothing comes for this long.
  std::chrono::nanoseconds keepalive_timeout = std::chrono::seconds{10};
};

} // namespace switchyard::yamux

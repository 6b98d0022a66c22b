#pragma once

#include <proto/yamux/limits.hpp>

#include <chrono>
#include <cstdint>
#include <string_view>

namespace switchyard::netrpc {

/// The plugin's table of plugins.toml, with every default.
struct Config {
  /// Bytes of one request's or reply's body, and of all unfinished requests of a connection.
  std::uint32_t max_body_bytes = 64U << 20;

  /// yamux streams open at once in one session.
  std::uint32_t max_streams = 4096;

  /// From the first byte of a request to its last; between requests a peer may be silent for ever.
  std::chrono::nanoseconds request_timeout = std::chrono::seconds{10};

  /// A peer that has not taken what was written to its connection in this time, or nothing of what
  /// waits in a stream, has gone.
  std::chrono::nanoseconds write_timeout = std::chrono::seconds{30};

  /// Silence after which a yamux peer is pinged.
  std::chrono::nanoseconds keepalive_interval = std::chrono::seconds{30};

  /// The same as limits of a yamux session.
  [[nodiscard]] yamux::Limits yamux_limits() const;
};

/// Reads the table, as JSON. Throws Failure with a sentence that names the key.
[[nodiscard]] Config parse_config(std::string_view json);

} // namespace switchyard::netrpc

#pragma once

#include <switchyard/grpc/services.h>

#include <proto/http2/limits.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard::grpc {

/// What differs between the internal and the external server.
struct ServerConfig {
  /// Bytes of one message from a client.
  std::uint32_t max_receive_bytes;

  /// Calls open at once on one connection.
  std::uint32_t max_streams;

  /// What a client may ask of one connection before gRPC sees it.
  [[nodiscard]] http2::Limits walker_limits() const;
};

/// The plugin's table of plugins.toml, with every default.
struct Config {
  ServerConfig internal{.max_receive_bytes = 4U << 20, .max_streams = 16'384};
  ServerConfig external{.max_receive_bytes = 50U << 20, .max_streams = 2048};

  /// From a connection's begin to its first SETTINGS.
  std::chrono::nanoseconds handshake_timeout = std::chrono::seconds{20};

  /// Silence after which a client is pinged, and how long it has to answer.
  std::chrono::nanoseconds keepalive_interval = std::chrono::seconds{30};
  std::chrono::nanoseconds keepalive_timeout = std::chrono::seconds{20};

  /// How often a client may ping, with calls open or without. Consul's clients do so every 30 s.
  std::chrono::nanoseconds min_ping_interval = std::chrono::seconds{10};

  /// A client that takes nothing of what waits for it for this long has gone.
  std::chrono::nanoseconds write_timeout = std::chrono::seconds{30};

  /// Where tools may ask for the schemas of services: SY_GRPC_ON_….
  std::uint32_t reflection = SY_GRPC_ON_EXTERNAL;

  /// Names of listeners whose clear connections gRPC gets as they are.
  std::vector<std::string> direct_listeners;

  /// After this long such a connection is asked to leave.
  std::chrono::nanoseconds max_connection_age = std::chrono::seconds{15};

  [[nodiscard]] bool is_direct(std::string_view listener) const {
    return std::ranges::find(direct_listeners, listener) != direct_listeners.end();
  }
};

/// Reads the table, as JSON. Throws Failure with a sentence that names the key.
[[nodiscard]] Config parse_config(std::string_view json);

} // namespace switchyard::grpc

#pragma once

#include <plugins/raft/driver/node.hpp>
#include <proto/raftwire/limits.hpp>

namespace switchyard::raft {

/// The plugin's table of plugins.toml, with every default.
struct Config {
  NodeSettings node;

  /// The first configuration, written where there is nothing yet; empty: others add this server.
  raftwire::Configuration founders;

  /// How long a peer may take for a request, its answer, or to read.
  std::chrono::nanoseconds io_timeout = std::chrono::seconds{10};

  /// Under TLS the peer's certificate must name it: "server.<datacenter>.<domain>".
  std::string server_name;

  raftwire::Limits limits;
};

/// Reads the table, as JSON. Throws Failure with a sentence that names the key. Looks at nothing
/// but the text.
[[nodiscard]] Config parse_config(std::string_view json);

} // namespace switchyard::raft

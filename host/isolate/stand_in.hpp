#pragma once

#include <host/config/config.hpp>
#include <host/connection/owner.hpp>
#include <host/plugin/isolated_code.hpp>

#include <string>
#include <vector>

namespace switchyard::host {

/// What the processes of isolated plugins are given by the server.
struct IsolationSurroundings {
  const Config& config; ///< limits and tls are read when a process is started. Control thread.
  std::vector<ConnectionOwner*> loops; ///< in the order of their indexes
  std::string program = "/proc/self/exe";
};

/// Makes what stands in for isolated plugins. `around` outlives them. Its program hands argv[1] ==
/// kIsolatedCommand over to run_isolated().
[[nodiscard]] Isolate make_isolate(IsolationSurroundings around);

} // namespace switchyard::host

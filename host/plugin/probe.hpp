#pragma once

#include <host/plugin/refusal.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace switchyard::host {

/// A plugin to be tried, and what it is called in sentences.
struct ProbeRequest {
  std::string plugin;                ///< name in plugins.toml
  std::string path;                  ///< of the source
  std::string staged;                ///< of the copy, which is loaded
  std::string manifest;              ///< text of its note, verified
  std::vector<std::string> platform; ///< sonames of the platform libraries it needs
  std::string config;                ///< JSON
  std::string config_place;          ///< "plugins.toml:12"
};

/// Tries a plugin in a child process: loads it, judges its descriptor and lets it judge its
/// configuration. The child has nothing of ours but the request, and is killed after `limit`.
/// Whatever it does ends in a refusal. `program` hands argv[1] == kProbeCommand over to
/// run_probe().
[[nodiscard]] OrRefusal<void> probe_plugin(
    const ProbeRequest& request,
    std::chrono::milliseconds limit,
    const std::string& program = "/proc/self/exe");

} // namespace switchyard::host

#pragma once

#include <host/command/commands.hpp>

#include <string>
#include <vector>

namespace switchyard::host {

/// What a `cluster` command is to do.
struct ClusterOrder {
  std::string id;
  std::string address;
  bool nonvoter = false;
  std::vector<std::string> founders; ///< "id=ip:port"
  bool yes = false;                  ///< do not ask whether it is meant
};

[[nodiscard]] ExitCode cluster_peers(const Target& target);
[[nodiscard]] ExitCode cluster_add(const Target& target, const ClusterOrder& order);
[[nodiscard]] ExitCode cluster_transfer(const Target& target, const ClusterOrder& order);
[[nodiscard]] ExitCode cluster_snapshot(const Target& target);

// These ask first, unless order.yes; without a terminal to ask on they refuse.
[[nodiscard]] ExitCode cluster_remove(const Target& target, const ClusterOrder& order);
[[nodiscard]] ExitCode cluster_bootstrap(const Target& target, const ClusterOrder& order);
[[nodiscard]] ExitCode cluster_recover(const Target& target, const ClusterOrder& order);

} // namespace switchyard::host

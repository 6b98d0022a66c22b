#pragma once

#include <host/config/config.hpp>
#include <host/plugin/manifest.hpp>
#include <host/plugin/refusal.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace switchyard::host {

/// A plugin whose requirements cannot be met, by position in Config::plugins.
struct OrderProblem {
  std::size_t plugin = 0;
  Refusal refusal;
};

struct Order {
  std::vector<std::size_t> start; ///< providers before consumers; ended in reverse
  std::vector<OrderProblem> problems;
};

/// In which order plugins start. Pure. `manifests` is parallel to `config.plugins`; null for a
/// plugin whose manifest is not known. `refused` (parallel too) have problems of their own already.
/// Optional requirements are followed where that makes no circle. A plugin in a circle of required
/// ones is refused with the whole path, and so is whoever requires a plugin that does not start.
[[nodiscard]] Order start_order(
    const Config& config,
    std::span<const Manifest* const> manifests,
    const std::vector<bool>& refused);

} // namespace switchyard::host

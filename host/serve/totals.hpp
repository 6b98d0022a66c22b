#pragma once

#include <host/serve/stages.hpp>

#include <array>
#include <cstdint>

namespace switchyard::host {

/// The counters of all loops, added up. Any thread.
struct Totals {
  std::uint64_t accepted = 0;
  std::uint64_t open = 0;
  std::array<std::uint64_t, kCloseReasons> closed{}; ///< by CloseReason
};

[[nodiscard]] inline Totals totals(const Loops& loops) {
  Totals sum;
  for (const auto& loop : loops) {
    const auto& counters = loop->connections.counters();
    sum.accepted += counters.accepted.load(std::memory_order_relaxed);
    sum.open += counters.open();
    for (std::size_t i = 0; i < sum.closed.size(); ++i)
      sum.closed[i] += counters.closed[i].load(std::memory_order_relaxed);
  }
  return sum;
}

} // namespace switchyard::host

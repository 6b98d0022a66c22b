#pragma once

#include "node.hpp"

namespace switchyard::raft::simulation {

/// What came of one seed.
struct Outcomes {
  std::string violation; ///< empty: everything held
  std::uint64_t trace = 0;
  std::uint64_t committed = 0; ///< entries
  std::uint64_t acknowledged = 0;
  std::uint64_t reads = 0;
  std::uint64_t changes = 0;
  std::uint64_t transfers = 0;
  std::uint64_t elections = 0; ///< the last term
  bool stuck = false;          ///< nobody could be elected; see cluster.cpp, electable
};

/// Runs a cluster that `seed` decides everything about: some time of work under faults, then a
/// quiet time, after which there has to be one leader, all voters have to be equal and a write has
/// to succeed.
[[nodiscard]] Outcomes simulate(std::uint64_t seed);

} // namespace switchyard::raft::simulation

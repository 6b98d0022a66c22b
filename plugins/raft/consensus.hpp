#pragma once

#include <switchyard/raft/consensus.h>

namespace switchyard::raft {

/// What other plugins and the host see of an instance.
[[nodiscard]] const sy_raft_consensus& consensus_table() noexcept;

} // namespace switchyard::raft

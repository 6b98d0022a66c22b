#pragma once

#include <plugins/raft/core/configurations.hpp>
#include <plugins/raft/core/term_runs.hpp>

#include <string>

namespace switchyard::raft {

/// The term and who got the vote in it: one record, because one without the other is a lie.
struct Ballot {
  std::uint64_t term = 0;
  std::string candidate; ///< its address; empty: no vote given in this term

  friend bool operator==(const Ballot&, const Ballot&) = default;
};

/// What a snapshot stands for; all zero when there is none.
struct SnapshotMeta {
  std::uint64_t index = 0; ///< the last entry it contains
  std::uint64_t term = 0;  ///< of that entry
  raftwire::Configuration configuration{};
  std::uint64_t configuration_index = 0;

  friend bool operator==(const SnapshotMeta&, const SnapshotMeta&) = default;
};

/// What a node finds when it starts. The log reaches the snapshot: its last index is not below the
/// snapshot's, and if it holds the snapshot's index, then with the snapshot's term.
struct Durable {
  Ballot ballot;
  SnapshotMeta snapshot;
  TermRuns log;
  std::vector<StoredConfiguration> configurations; ///< in the log, by index

  /// What it knows to be committed, besides the snapshot; in the log. From one version of the
  /// plugin to the next: it is not on the disk.
  std::uint64_t commit_index = 0;
};

} // namespace switchyard::raft

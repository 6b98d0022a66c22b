#pragma once

#include <proto/raftwire/header.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace switchyard::raft {

/// The core never reads a clock: it is told the time, which never goes back.
using Time = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

/// Any number, evenly spread: all the chance there is in the core.
using Random = std::function<std::uint64_t()>;

/// How one node of a cluster behaves. All nodes of a cluster should have the same times.
/// The defaults are those of hashicorp/raft where it has one.
struct Settings {
  std::string id;      ///< of this node, not empty
  std::string address; ///< of this node, byte for byte what configurations call it

  /// A follower that hears nothing for so long, up to twice that, starts an election.
  Duration heartbeat_timeout = std::chrono::seconds{1};

  /// An election without a result is begun anew after so long, up to twice that.
  Duration election_timeout = std::chrono::seconds{1};

  /// A leader that is answered by no majority for so long steps down; at most heartbeat_timeout.
  Duration lease_timeout = std::chrono::milliseconds{500};

  /// Without anything else to send a leader tells the commit index after so long, up to twice that.
  Duration commit_timeout = std::chrono::milliseconds{50};

  std::uint32_t entries_max = 64;          ///< in one AppendEntries
  std::uint64_t entry_bytes_max = 4 << 20; ///< in one AppendEntries of more than one entry
  std::uint32_t pipeline_max = 128;        ///< AppendEntries sent ahead to one server
  std::uint32_t calls_max = 65536;         ///< waiting for the cluster at once

  std::uint64_t trailing_entries = 10240; ///< kept in the log behind a snapshot

  /// Ask whether an election could be won before beginning it, once all voters have shown that they
  /// understand the question.
  bool pre_vote = true;

  /// Which header to send; old nodes read both.
  raftwire::HeaderForm header_form = raftwire::HeaderForm::New;
};

} // namespace switchyard::raft

#pragma once

#include <plugins/raft/core/call.hpp>
#include <plugins/raft/core/durable.hpp>
#include <proto/raftwire/append_entries.hpp>
#include <proto/raftwire/install_snapshot.hpp>
#include <proto/raftwire/timeout_now.hpp>
#include <proto/raftwire/vote.hpp>

#include <variant>

namespace switchyard::raft {

using RequestId = std::uint64_t; ///< the driver's name for a request it has received
using SendId = std::uint64_t;    ///< the core's name for a request it sends
using WriteId = std::uint64_t;   ///< ascending; writes are made durable in this order

// Writes. Core::persisted says that one of them, and every one before it, is durable. Of those that
// wait together only the last ballot counts; it may be written first, then a snapshot, then the
// log.

struct SaveBallot {
  WriteId write = 0;
  Ballot ballot;
};

/// The log loses what it has from the first entry's index on, if anything, then gains the entries.
/// They point to the bytes of the event that caused this, or to the core's own until the next one.
struct Append {
  WriteId write = 0;
  std::vector<raftwire::Entry> entries;
};

/// The snapshot received with `request` becomes the node's: state machine, applied index and log.
struct InstallSnapshot {
  WriteId write = 0;
  RequestId request = 0;
  SnapshotMeta meta;
  bool keeps_log = false; ///< the log holds meta.index with meta.term: keep what follows it
};

/// Entries up to `index` are not needed any more. Nothing waits for it.
struct Compact {
  std::uint64_t index = 0;
};

// The rest.

/// Entries up to `index` are committed and durable here: apply them.
struct Apply {
  std::uint64_t index = 0;
};

using AnswerBody = std::variant<
    std::monostate, ///< an error text and nothing else
    raftwire::AppendEntriesAnswer,
    raftwire::RequestVoteAnswer,
    raftwire::InstallSnapshotAnswer,
    raftwire::TimeoutNowAnswer,
    raftwire::PreVoteAnswer>;

/// Answer `request`. Nothing in it waits for a write any more.
struct Answer {
  RequestId request = 0;
  AnswerBody body;
  std::string error;
};

/// Read the bytes of the snapshot that `request` announced into a new one, make that durable and
/// restore a new state machine from it; then Core::snapshot_ready or snapshot_failed. If instead an
/// Answer comes, read the bytes all the same and drop them.
struct ReceiveSnapshot {
  RequestId request = 0;
};

/// What was received with `request` is not wanted any more.
struct DropSnapshot {
  RequestId request = 0;
};

/// Asserts leadership. Must not wait behind anything else that is sent to the same server.
struct Heartbeat {
  std::uint64_t term = 0;
};

/// AppendEntries with `count` entries of the log after `previous_index`.
struct Replicate {
  std::uint64_t term = 0;
  std::uint64_t previous_index = 0;
  std::uint64_t previous_term = 0;
  std::uint32_t count = 0;
  std::uint64_t commit_index = 0;
};

/// The snapshot of `meta` and its bytes.
struct SendSnapshot {
  std::uint64_t term = 0;
  SnapshotMeta meta;
};

using Message = std::variant<
    Heartbeat,
    Replicate,
    SendSnapshot,
    raftwire::RequestVoteRequest,
    raftwire::PreVoteRequest,
    raftwire::TimeoutNowRequest>;

/// Send a request. Exactly one Core::answered or Core::failed follows, in bounded time. Requests of
/// one kind to one server arrive in the order they were sent, or not at all.
struct Send {
  SendId id = 0;
  std::string server; ///< its id
  std::string address;
  Message message;
};

enum class Role : std::uint8_t { Follower, Candidate, Leader };

/// Who leads has changed, as far as this node knows.
struct LeaderChanged {
  Role role = Role::Follower;
  std::uint64_t term = 0;
  std::string id; ///< of the leader; may be unknown although there is an address
  std::string address;
};

/// A peer has sent what cannot be while the rules are kept. Its request was refused.
struct Violation {
  std::string text;
};

using Action = std::variant<
    SaveBallot,
    Append,
    InstallSnapshot,
    Compact,
    Apply,
    Answer,
    ReceiveSnapshot,
    DropSnapshot,
    Send,
    CallDone,
    LeaderChanged,
    Violation>;

} // namespace switchyard::raft

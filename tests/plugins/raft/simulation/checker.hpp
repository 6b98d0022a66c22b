#pragma once

#include <plugins/raft/core/core.hpp>

#include <map>
#include <stdexcept>

namespace switchyard::raft::simulation {

/// What a simulation is there to find.
class Violated : public std::runtime_error {
public:
  using runtime_error::runtime_error;
};

using NodeId = std::uint32_t;

/// What one node has told others, or the application: it can never be taken back.
struct Told {
  std::uint64_t term = 0;
  std::map<std::uint64_t, std::string> votes; ///< term, to whom

  /// The last entry acknowledged; 0 once it was truncated by a later leader.
  std::uint64_t index = 0;
  std::uint64_t index_term = 0;

  std::map<std::uint64_t, std::uint64_t> acknowledged; ///< by term of the entry, its last index
};

/// Sees all nodes at once and holds them to what Raft promises. Throws Violated.
class Checker {
public:
  /// After anything has happened on that node.
  void node_changed(NodeId node, const Core& core);
  void node_stopped(NodeId node);

  /// A node has come back: what it has told must still be true.
  void node_started(NodeId node, const Core& core);

  void appended(NodeId node, const Append& append, const TermRuns& log);

  /// The log has given way to a snapshot that it contradicts or does not reach.
  void replaced(NodeId node) { told_[node].index = 0; }

  /// Something goes out, and with it the promise in it.
  void term_told(NodeId node, std::uint64_t term);
  void vote_told(NodeId node, std::uint64_t term, std::string_view candidate);
  void entries_told(NodeId node, std::uint64_t index, std::uint64_t term, const TermRuns& log);

  /// Returns the hash of everything applied up to there, which is the same on every node.
  std::uint64_t applied(std::uint64_t chain, const raftwire::Entry& entry);
  void restored(std::uint64_t index, std::uint64_t chain);

  /// A call has ended well: its entry is committed there.
  void acknowledged(std::uint64_t index, std::string_view data);

  /// A read begins, and may not end below what it returns.
  [[nodiscard]] std::uint64_t acknowledged_index() const noexcept { return acknowledged_; }

  [[nodiscard]] std::uint64_t committed_index() const noexcept { return last_committed_; }

private:
  struct Seen {
    std::uint64_t term = 0;
    std::uint64_t commit = 0;
    bool leads = false;
  };

  struct Content {
    std::uint64_t previous_term = 0;
    std::uint64_t hash = 0;
  };

  void leads(NodeId node, const Core& core);
  void leader_commits(NodeId node, const Core& core);

  std::map<NodeId, Seen> seen_;
  std::map<NodeId, Told> told_;
  std::map<std::uint64_t, NodeId> leaders_;                            ///< by term
  std::map<std::pair<std::uint64_t, std::uint64_t>, Content> entries_; ///< by index, term
  std::vector<std::uint64_t> committed_{0};             ///< term by index; 0: not known
  std::map<std::uint64_t, std::uint64_t> committed_by_; ///< leader's term, up to
  std::vector<std::uint64_t> chains_{0};                ///< by index; 0: not known
  std::uint64_t last_committed_ = 0;
  std::uint64_t acknowledged_ = 0;
};

} // namespace switchyard::raft::simulation

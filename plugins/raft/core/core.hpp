#pragma once

#include <plugins/raft/core/gate.hpp>
#include <plugins/raft/core/progress.hpp>
#include <proto/raftwire/request.hpp>

#include <deque>
#include <set>
#include <span>
#include <unordered_map>

namespace switchyard::raft {

/// No honest node gets there in one step, and a term at the end of all numbers ends all elections.
inline constexpr std::uint64_t kTermJumpMax = std::uint64_t{1} << 32;

/// How many entries of the log fit into a request: the one thing the core does not know of them.
class EntrySizes {
public:
  /// The most entries from `first` on, at least one and at most `count`, whose data together does
  /// not exceed `bytes` if it is more than one. All of them are in the log.
  [[nodiscard]] virtual std::uint32_t
  fitting(std::uint64_t first, std::uint32_t count, std::uint64_t bytes) const = 0;

protected:
  ~EntrySizes() = default;
};

/// One node of a Raft cluster: the rules and nothing else. Events come in through the functions
/// below, each with the time; take_actions() says what to do about them. The driver carries the
/// actions out in their order; it need not wait for one to be done.
///
/// An answer, a vote asked for, an entry counted: whatever depends on a write comes out after
/// persisted() has told that it is durable, and not otherwise. Heartbeats depend on no write but
/// that of the term.
///
/// No clock, thread, socket or file; one thread at a time. `sizes` outlives the core.
class Core {
public:
  Core(Settings settings, Durable durable, const EntrySizes& sizes, Random random, Time now);

  /// Fires what is due. To be called no later than next_deadline().
  void advance(Time now);
  [[nodiscard]] Time next_deadline() const noexcept;

  /// What to do, oldest first; to be called after every event, or several, until it is empty, for
  /// entries are sent only once the driver has been told of them. Entries and texts in it point to
  /// the bytes of the events since the last call, so that those must still be there.
  [[nodiscard]] std::vector<Action> take_actions();

  // Requests of others.

  /// A request that was decoded; an Answer to it follows, now or later. An InstallSnapshot is first
  /// answered with ReceiveSnapshot or, if it is refused, at once.
  void receive(RequestId request, const raftwire::Request& message, Time now);

  /// The snapshot of `request` is durable and a state machine was restored from it.
  void snapshot_ready(RequestId request, Time now);

  /// It was not; `error` says why, and is what the leader is told.
  void snapshot_failed(RequestId request, std::string_view error, Time now);

  // What became of our own requests.

  /// The answer to a Send, with its error text. Of another type than the request's, or
  /// std::monostate, it counts as a failure.
  void answered(SendId send, const AnswerBody& answer, std::string_view error, Time now);

  /// There will be no answer: not dialled, cut or too late. The request may have been executed.
  void failed(SendId send, Time now);

  /// failed() for all that has no answer yet.
  void failed_all(Time now);

  // What became of our writes.

  /// `write` and all before it are durable.
  void persisted(WriteId write, Time now);

  /// The disk failed. From now on the node takes no part in anything: it votes for nobody,
  /// acknowledges nothing and refuses every call. There is no way back but a restart.
  void persist_failed(Time now);

  /// A snapshot of our own, of what snapshot_point() said, is durable: the log may be cut.
  void snapshot_saved(const SnapshotMeta& meta, Time now);

  // Calls of the application. Each ends with a CallDone, maybe at once.

  void propose(CallId call, std::string_view data, std::string_view extensions, Time now);

  /// Ends when everything proposed before is committed.
  void barrier(CallId call, Time now);

  /// Ends when it is certain that no other leader could have committed anything later than the
  /// index it ends with, at a moment after this call.
  void verify(CallId call, Time now);

  /// Changes one server; refused while an earlier change is not committed.
  void change(CallId call, const ServerChange& change, Time now);

  /// Hands leadership over, to the voter that is furthest if `server` is empty.
  void transfer(CallId call, std::string_view server, Time now);

  /// Begins an election at once, if it may vote and is none that leads already: one that led a
  /// moment ago is the leader that the others know, and disturbs nobody.
  void campaign(Time now);

  // What is the case.

  [[nodiscard]] Role role() const noexcept { return role_; }

  [[nodiscard]] std::uint64_t term() const noexcept { return ballot_.term; }

  [[nodiscard]] const Ballot& ballot() const noexcept { return ballot_; }

  [[nodiscard]] const TermRuns& log() const noexcept { return log_; }

  [[nodiscard]] std::uint64_t commit_index() const noexcept { return commit_; }

  [[nodiscard]] std::uint64_t durable_index() const noexcept { return durable_index_; }

  [[nodiscard]] const SnapshotMeta& snapshot() const noexcept { return snapshot_; }

  [[nodiscard]] const Configurations& configurations() const noexcept { return configurations_; }

  [[nodiscard]] bool halted() const noexcept { return halted_; }

  /// What a snapshot of the state at `applied` stands for; nullopt while there can be none.
  [[nodiscard]] std::optional<SnapshotMeta> snapshot_point(std::uint64_t applied) const;

private:
  struct PendingAppend {
    WriteId write;
    std::uint64_t last_index; ///< of the log, after it
  };

  struct PendingCall {
    CallId call;
    std::uint64_t index;
  };

  struct PendingRead {
    CallId call;
    std::uint64_t index;
    std::uint64_t round; ///< of heartbeats that must be confirmed
  };

  struct IncomingSnapshot {
    std::uint64_t term;
    SnapshotMeta meta;
  };

  struct Transfer {
    CallId call;
    std::string target;
    Time deadline;
    bool asked; ///< TimeoutNow is sent
  };

  // request.cpp
  template <class Body>
  void answer(RequestId request, WriteId after, Body body, std::string error = {}) {
    gate_.pass(after, Answer{request, std::move(body), std::move(error)}, actions_);
  }

  void refuse(RequestId request, std::string_view error);
  [[nodiscard]] std::optional<std::string_view> refusal(const raftwire::Request& message) const;
  [[nodiscard]] bool is_member(const raftwire::Header&, std::string_view address) const noexcept;
  void violated(RequestId request, std::string text);

  // append_entries.cpp
  void receive(RequestId, const raftwire::AppendEntriesRequest& message, Time now);
  [[nodiscard]] bool append_received(RequestId, const raftwire::AppendEntriesRequest& message);
  void append(std::span<const raftwire::Entry> entries);
  void truncate(std::uint64_t index);

  // vote.cpp
  void receive(RequestId, const raftwire::RequestVoteRequest& message, Time now);
  void receive(RequestId, const raftwire::PreVoteRequest& message, Time now);
  [[nodiscard]] bool follows_other(std::string_view candidate, Time now) const noexcept;
  [[nodiscard]] bool log_newer_than(std::uint64_t index, std::uint64_t term) const noexcept;

  // snapshot.cpp
  void receive(RequestId, const raftwire::InstallSnapshotRequest& message, Time now);
  void install(RequestId, const SnapshotMeta& meta);

  // election.cpp
  enum class Election : std::uint8_t { None, PreVote, Vote };

  void receive(RequestId, const raftwire::TimeoutNowRequest& message, Time now);
  void election_due(Time now);
  void begin_election(Election election, bool transfer, Time now);
  void count_vote(const std::string& server, Time now);
  void become_follower(std::uint64_t term, Time now);
  void follow(const raftwire::Header& header, std::string_view leader);
  void set_leader(std::string_view id, std::string_view address);
  void save_ballot(std::uint64_t term, std::string_view candidate);
  [[nodiscard]] bool hears_leader(Time now) const noexcept;
  void
  arm_election(Duration timeout, Time since); ///< from `timeout` after `since` up to twice that
  void note_new_form(std::string_view id);
  [[nodiscard]] bool pre_vote_usable() const;

  // leadership.cpp
  void become_leader(Time now);
  void step_down(Time now);
  void sync_peers(Time now);
  void heartbeats(Time now);
  void check_lease(Time now);
  [[nodiscard]] std::uint64_t confirmed_round() const;

  // replication.cpp
  void replicate_all(Time now);
  void replicate(const std::string& server, Progress& peer, Time now);
  void send_entries(const std::string& server, Progress& peer, Time now);
  void send_snapshot(const std::string& server, Progress& peer);
  void heartbeat_failed(Progress& peer, Time now);
  void replication_failed(Progress& peer, const Outstanding& sent, Time now);
  void replication_refused(
      Progress& peer,
      const Outstanding& sent,
      const raftwire::AppendEntriesAnswer& answer,
      Time now);
  void replicated(Progress& peer, const Outstanding& sent);
  void snapshot_sent(Progress& peer, const Outstanding& sent, bool success, Time now);
  void send(const std::string& server, const std::string& address, Outstanding what, WriteId after);

  // answers.cpp
  void vote_answered(const Outstanding& sent, bool granted, Time now);
  void peer_answered(const Outstanding& sent, const AnswerBody& answer, Time now);

  // commit.cpp
  void update_commit(Time now);
  void advance_commit(std::uint64_t index, Time now);
  void apply();

  // calls.cpp
  [[nodiscard]] bool accepts(CallId call, Time now);
  void append_call(
      CallId call, raftwire::EntryType type, std::string_view data, std::string_view extensions);
  void append_own(raftwire::EntryType type, std::string_view data, std::string_view extensions);
  void finish(CallId call, Outcome outcome, std::uint64_t index = 0);
  void finish_reads();

  // transfer.cpp
  void advance_transfer(Time now);

  // core.cpp
  [[nodiscard]] raftwire::Header header() const noexcept;
  [[nodiscard]] Duration spread(Duration least); ///< from it up to twice that
  [[nodiscard]] bool self_votes() const noexcept;

  const Settings settings_;
  const EntrySizes& sizes_;
  Random random_;

  // Durable once written.
  Ballot ballot_;
  TermRuns log_;
  SnapshotMeta snapshot_;
  Configurations configurations_;

  Gate gate_;
  WriteId ballot_write_ = 0;
  WriteId log_write_ = 0;
  std::deque<PendingAppend> pending_appends_;
  std::uint64_t durable_index_;
  std::uint64_t seen_index_; ///< of the log, as the driver knows it
  bool halted_ = false;

  Role role_ = Role::Follower;
  std::string leader_id_;
  std::string leader_address_;
  Time last_contact_;
  Time election_due_;
  std::uint64_t commit_;
  std::uint64_t applied_; ///< what the driver was told to apply

  Election election_ = Election::None;
  std::uint64_t election_term_ = 0;
  std::set<std::string> votes_;
  bool own_vote_counted_ = false;
  std::set<std::string, std::less<>> new_form_; ///< servers that have sent their id

  std::map<SendId, Outstanding> outstanding_;
  SendId last_send_ = 0;
  std::map<RequestId, IncomingSnapshot> incoming_;

  // Of a leader.
  std::map<std::string, Progress> peers_; ///< by id
  std::uint64_t start_index_ = 0;         ///< of the first entry of this leadership
  std::uint64_t round_ = 0;
  Time lease_due_{};
  bool new_entries_ = false;
  std::deque<PendingCall> calls_;
  std::deque<PendingRead> reads_;
  std::optional<Transfer> transfer_;

  Time now_;
  std::string own_data_; ///< of an entry the core made itself
  std::vector<Action> actions_;
};

} // namespace switchyard::raft

#include <plugins/raft/core/core.hpp>

#include <boost/assert.hpp>

#include <algorithm>

namespace switchyard::raft {

using raftwire::AppendEntriesAnswer;
using raftwire::InstallSnapshotAnswer;
using raftwire::PreVoteAnswer;
using raftwire::PreVoteRequest;
using raftwire::RequestVoteAnswer;
using raftwire::RequestVoteRequest;

namespace {

std::uint64_t term_in(const AnswerBody& answer) {
  return std::visit(
      [](const auto& body) -> std::uint64_t {
        if constexpr (requires { body.term; }) return body.term;
        return 0;
      },
      answer);
}

std::string_view sender_of(const AnswerBody& answer) {
  return std::visit(
      [](const auto& body) -> std::string_view {
        if constexpr (requires { body.header; }) return body.header.id;
        return {};
      },
      answer);
}

/// True if `answer` is of the type that `message` asks for.
bool fits(const Message& message, const AnswerBody& answer) {
  if (std::holds_alternative<Heartbeat>(message) || std::holds_alternative<Replicate>(message)) {
    return std::holds_alternative<AppendEntriesAnswer>(answer);
  }
  if (std::holds_alternative<SendSnapshot>(message)) {
    return std::holds_alternative<InstallSnapshotAnswer>(answer);
  }
  if (std::holds_alternative<RequestVoteRequest>(message)) {
    return std::holds_alternative<RequestVoteAnswer>(answer);
  }
  if (std::holds_alternative<PreVoteRequest>(message)) {
    return std::holds_alternative<PreVoteAnswer>(answer);
  }
  return std::holds_alternative<raftwire::TimeoutNowAnswer>(answer);
}

} // namespace

void Core::answered(SendId id, const AnswerBody& answer, std::string_view error, Time now) {
  now_ = now;
  note_new_form(sender_of(answer));

  const auto at = outstanding_.find(id);
  BOOST_ASSERT(at != outstanding_.end());
  // A pre-vote is answered with the term it asks for, which is above ours.
  const auto term = term_in(answer);
  const auto known = std::max(ballot_.term, at->second.term);
  if (!halted_ && term > known && term - known <= kTermJumpMax) become_follower(term, now);

  const auto& asked = at->second.message;
  const bool does_not_know =
      std::holds_alternative<PreVoteRequest>(asked) && error == raftwire::kUnexpectedCommand;
  if (halted_ || (!does_not_know && (!error.empty() || !fits(asked, answer)))) {
    return failed(id, now);
  }

  const auto sent = std::move(outstanding_.extract(at).mapped());
  if (does_not_know) return vote_answered(sent, true, now);
  if (const auto* vote = std::get_if<RequestVoteAnswer>(&answer)) {
    return vote_answered(sent, vote->granted, now);
  }
  if (const auto* vote = std::get_if<PreVoteAnswer>(&answer)) {
    return vote_answered(sent, vote->granted, now);
  }
  if (role_ == Role::Leader && sent.term == ballot_.term) peer_answered(sent, answer, now);
}

/// Only for the election that is going on: of another one it says nothing.
void Core::vote_answered(const Outstanding& sent, bool granted, Time now) {
  const auto kind =
      std::holds_alternative<PreVoteRequest>(sent.message) ? Election::PreVote : Election::Vote;
  if (granted && election_ == kind && election_term_ == sent.term) count_vote(sent.server, now);
}

void Core::peer_answered(const Outstanding& sent, const AnswerBody& answer, Time now) {
  const auto at = peers_.find(sent.server);
  if (at == peers_.end()) return;
  auto& peer = at->second;
  peer.last_contact = now;

  bool success = true;
  if (const auto* entries = std::get_if<AppendEntriesAnswer>(&answer)) {
    success = entries->success;
    if (std::holds_alternative<Heartbeat>(sent.message)) {
      --peer.heartbeats_in_flight;
      if (std::exchange(peer.heartbeat_failures, 0) > 0) peer.retry_at = now;
    } else if (success) {
      replicated(peer, sent);
    } else {
      replication_refused(peer, sent, *entries, now);
    }
  } else if (const auto* snapshot = std::get_if<InstallSnapshotAnswer>(&answer)) {
    success = snapshot->success;
    snapshot_sent(peer, sent, success, now);
  }
  if (success) peer.confirmed_round = std::max(peer.confirmed_round, sent.round);

  if (peer.leaving_at != 0 && peer.match >= peer.leaving_at) {
    peers_.erase(at);
  } else {
    replicate(sent.server, peer, now);
  }
  update_commit(now);
  if (role_ != Role::Leader) return;
  finish_reads();
  heartbeats(now);
  advance_transfer(now);
}

void Core::failed(SendId id, Time now) {
  now_ = now;
  const auto at = outstanding_.find(id);
  BOOST_ASSERT(at != outstanding_.end());
  const auto sent = std::move(outstanding_.extract(at).mapped());
  if (halted_ || role_ != Role::Leader || sent.term != ballot_.term) return;

  const auto peer = peers_.find(sent.server);
  if (peer == peers_.end()) return;
  if (peer->second.leaving_at != 0) {
    peers_.erase(peer);
  } else if (std::holds_alternative<Heartbeat>(sent.message)) {
    heartbeat_failed(peer->second, now);
  } else if (
      std::holds_alternative<Replicate>(sent.message) ||
      std::holds_alternative<SendSnapshot>(sent.message)) {
    replication_failed(peer->second, sent, now);
  }
}

void Core::failed_all(Time now) {
  while (!outstanding_.empty())
    failed(outstanding_.begin()->first, now);
}

} // namespace switchyard::raft

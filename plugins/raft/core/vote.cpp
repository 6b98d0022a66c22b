#include <plugins/raft/core/core.hpp>

namespace switchyard::raft {

using raftwire::PreVoteAnswer;
using raftwire::PreVoteRequest;
using raftwire::RequestVoteAnswer;
using raftwire::RequestVoteRequest;

/// Source of the order of these tests: hashicorp/raft raft.go, requestVote. That a known leader is
/// asked for before the terms are compared keeps a node that comes back from deposing it.
void Core::receive(RequestId request, const RequestVoteRequest& message, Time now) {
  RequestVoteAnswer reply{header(), ballot_.term, false};
  const auto& from = message.header;
  const auto candidate = from.address.empty() ? message.candidate : from.address;
  const auto& members = configurations_.latest();

  const bool stranger =
      !from.id.empty() && !members.servers.empty() && members.find(from.id) == nullptr;
  const bool unasked = follows_other(candidate, now) && !message.leadership_transfer;
  if (stranger || unasked || message.term < ballot_.term || candidate.empty()) {
    return answer(request, ballot_write_, reply);
  }
  if (message.term > ballot_.term) become_follower(message.term, now);
  reply.term = ballot_.term;

  const auto* member = from.id.empty() ? nullptr : members.find(from.id);
  const bool no_voter = member != nullptr && !member->voter();
  const bool voted_for_other = !ballot_.candidate.empty() && ballot_.candidate != candidate;
  if (no_voter || voted_for_other) return answer(request, ballot_write_, reply);
  if (ballot_.candidate.empty()) {
    if (log_newer_than(message.last_index, message.last_term)) {
      return answer(request, ballot_write_, reply);
    }
    save_ballot(ballot_.term, candidate);
    last_contact_ = now;
  }
  reply.granted = true;
  answer(request, ballot_write_, reply);
}

/// Changes nothing here, whatever the answer.
void Core::receive(RequestId request, const PreVoteRequest& message, Time now) {
  PreVoteAnswer reply{header(), ballot_.term, false};
  const auto& from = message.header;
  const auto& members = configurations_.latest();
  const auto* member = members.find(from.id);

  const bool stranger = !members.servers.empty() && member == nullptr;
  const bool unasked = follows_other(from.address, now);
  if (stranger || unasked || message.term < ballot_.term) {
    return answer(request, ballot_write_, reply);
  }
  reply.term = message.term;
  reply.granted = (member == nullptr || member->voter()) &&
                  !log_newer_than(message.last_index, message.last_term);
  answer(request, ballot_write_, reply);
}

/// True while there is a leader that nobody else may challenge. Go knows one until its own timer
/// fires; then whoever notices first that a leader is gone has to wait for the last.
bool Core::follows_other(std::string_view candidate, Time now) const noexcept {
  return !leader_address_.empty() && leader_address_ != candidate &&
         (role_ == Role::Leader || hears_leader(now));
}

bool Core::log_newer_than(std::uint64_t index, std::uint64_t term) const noexcept {
  return log_.last_term() > term || (log_.last_term() == term && log_.last_index() > index);
}

} // namespace switchyard::raft

#include <plugins/raft/core/core.hpp>

#include <boost/assert.hpp>

#include <algorithm>

namespace switchyard::raft {

using raftwire::PreVoteRequest;
using raftwire::RequestVoteRequest;
using raftwire::TimeoutNowAnswer;
using raftwire::TimeoutNowRequest;

/// A node without a vote would only disturb. But one that has just lost it may be the only one with
/// the entry that says so; then nobody else can be elected while it keeps silent.
void Core::election_due(Time now) {
  if (role_ == Role::Follower && hears_leader(now)) {
    return arm_election(settings_.heartbeat_timeout, last_contact_);
  }
  set_leader({}, {});
  if (!configurations_.may_vote(settings_.id)) {
    become_follower(ballot_.term, now);
    return arm_election(settings_.heartbeat_timeout, now);
  }
  begin_election(pre_vote_usable() ? Election::PreVote : Election::Vote, false, now);
}

void Core::campaign(Time now) {
  now_ = now;
  if (halted_ || role_ == Role::Leader || !self_votes()) return;
  set_leader({}, {});
  begin_election(Election::Vote, false, now);
}

void Core::receive(RequestId request, const TimeoutNowRequest& message, Time now) {
  const bool stranger =
      !message.header.id.empty() && configurations_.latest().find(message.header.id) == nullptr;
  if (stranger || !self_votes()) return refuse(request, "not a voter of this cluster");
  if (role_ == Role::Leader) return refuse(request, "this node leads");
  set_leader({}, {});
  begin_election(Election::Vote, true, now);
  // Like Go, which says nothing of itself here.
  answer(request, ballot_write_, TimeoutNowAnswer{{0, settings_.header_form, {}, {}}});
}

void Core::begin_election(Election election, bool transfer, Time now) {
  role_ = Role::Candidate;
  election_ = election;
  election_term_ = ballot_.term + 1;
  votes_.clear();
  own_vote_counted_ = election == Election::PreVote;
  if (election == Election::Vote) save_ballot(election_term_, settings_.address);
  // One that has lost its vote burns those of others, so it tries more rarely than they do.
  arm_election(settings_.election_timeout * (self_votes() ? 1 : 4), now);

  const auto last_index = log_.last_index();
  const auto last_term = log_.last_term();
  for (const auto& server : configurations_.latest().servers) {
    if (!server.voter() || server.id == settings_.id) continue;
    Message message = PreVoteRequest{header(), election_term_, last_index, last_term};
    if (election == Election::Vote) {
      message = RequestVoteRequest{
          header(), election_term_, settings_.address, last_index, last_term, transfer};
    }
    send(server.id, server.address, {server.id, election_term_, 0, 0, message}, ballot_write_);
  }
  if (election == Election::PreVote) count_vote(settings_.id, now);
}

void Core::count_vote(const std::string& server, Time now) {
  const auto* voter = configurations_.latest().find(server);
  if (voter == nullptr || !voter->voter()) return;
  votes_.insert(server);
  if (votes_.size() < majority(configurations_.latest())) return;
  if (election_ == Election::PreVote) {
    begin_election(Election::Vote, false, now);
  } else {
    become_leader(now);
  }
}

void Core::become_follower(std::uint64_t term, Time now) {
  BOOST_ASSERT(term >= ballot_.term);
  if (term > ballot_.term && transfer_ && transfer_->asked) {
    finish(std::exchange(transfer_, {})->call, Outcome::Committed);
  }
  if (role_ != Role::Follower) step_down(now);
  set_leader({}, {});
  if (term > ballot_.term) save_ballot(term, {});
}

/// Every change of role forgets the leader; this is how one is learnt.
void Core::follow(const raftwire::Header& from, std::string_view leader) {
  if (from.address.empty()) {
    set_leader({}, leader);
  } else {
    set_leader(from.id, from.address);
  }
}

void Core::set_leader(std::string_view id, std::string_view address) {
  if (leader_id_ == id && leader_address_ == address) return;
  leader_id_ = id;
  leader_address_ = address;
  actions_.push_back(LeaderChanged{role_, ballot_.term, leader_id_, leader_address_});
}

void Core::save_ballot(std::uint64_t term, std::string_view candidate) {
  ballot_ = {term, std::string{candidate}};
  ballot_write_ = gate_.issue();
  actions_.push_back(SaveBallot{ballot_write_, ballot_});
}

/// One that has been silent for longer is no reason any more to refuse another.
bool Core::hears_leader(Time now) const noexcept {
  return now - last_contact_ < settings_.heartbeat_timeout;
}

void Core::arm_election(Duration timeout, Time since) {
  election_due_ = since + spread(timeout);
}

/// A node that names itself in its messages also knows the question.
void Core::note_new_form(std::string_view id) {
  if (id.empty() || new_form_.contains(id)) return;
  if (configurations_.latest().find(id) != nullptr) new_form_.emplace(id);
}

/// Old nodes close the connection on the question, so it is asked only where all are known to
/// understand it.
bool Core::pre_vote_usable() const {
  // The question names its sender in the new header only.
  if (!settings_.pre_vote || settings_.header_form == raftwire::HeaderForm::Old) return false;
  return std::ranges::all_of(configurations_.latest().servers, [&](const auto& server) {
    return !server.voter() || server.id == settings_.id || new_form_.contains(server.id);
  });
}

} // namespace switchyard::raft

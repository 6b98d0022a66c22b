#include <plugins/raft/core/core.hpp>

#include <boost/assert.hpp>

#include <algorithm>

namespace switchyard::raft {

Core::Core(Settings settings, Durable durable, const EntrySizes& sizes, Random random, Time now)
    : settings_{std::move(settings)},
      sizes_{sizes},
      random_{std::move(random)},
      ballot_{std::move(durable.ballot)},
      log_{std::move(durable.log)},
      snapshot_{std::move(durable.snapshot)},
      configurations_{{snapshot_.configuration_index, snapshot_.configuration}},
      durable_index_{log_.last_index()},
      seen_index_{log_.last_index()},
      last_contact_{now},
      commit_{std::max(snapshot_.index, durable.commit_index)},
      applied_{commit_},
      now_{now} {
  BOOST_ASSERT(!settings_.id.empty() && !settings_.address.empty());
  BOOST_ASSERT(log_.last_index() >= commit_);
  for (auto& stored : durable.configurations) {
    if (stored.index > configurations_.latest_index()) {
      configurations_.append(stored.index, std::move(stored.configuration));
    }
  }
  configurations_.commit(commit_);
  arm_election(settings_.heartbeat_timeout, now);
}

void Core::advance(Time now) {
  now_ = now;
  if (halted_) return;
  if (role_ == Role::Leader) {
    heartbeats(now);
    check_lease(now);
    if (role_ == Role::Leader) replicate_all(now);
    advance_transfer(now);
  } else if (now >= election_due_) {
    election_due(now);
  }
}

Time Core::next_deadline() const noexcept {
  if (halted_) return Time::max();
  if (role_ != Role::Leader) return election_due_;
  auto next = lease_due_;
  if (transfer_) next = std::min(next, transfer_->deadline);
  for (const auto& [id, peer] : peers_) {
    if (peer.heartbeats_in_flight == 0) next = std::min(next, peer.heartbeat_due);
    if (peer.in_flight > 0) continue;
    const bool news = peer.next <= seen_index_;
    next = std::min(next, news ? peer.retry_at : std::max(peer.append_due, peer.retry_at));
  }
  return next;
}

std::vector<Action> Core::take_actions() {
  if (actions_.empty() && std::exchange(new_entries_, false) && role_ == Role::Leader) {
    replicate_all(now_);
  }
  seen_index_ = log_.last_index();
  return std::exchange(actions_, {});
}

void Core::persisted(WriteId write, Time now) {
  now_ = now;
  if (halted_) return;
  gate_.open(write, actions_);
  while (!pending_appends_.empty() && pending_appends_.front().write <= write) {
    durable_index_ = pending_appends_.front().last_index;
    pending_appends_.pop_front();
  }
  if (election_ == Election::Vote && !own_vote_counted_ && gate_.durable(ballot_write_)) {
    own_vote_counted_ = true;
    if (self_votes()) count_vote(settings_.id, now);
  }
  if (role_ == Role::Leader) update_commit(now);
  apply();
}

void Core::persist_failed(Time now) {
  now_ = now;
  if (halted_) return;
  step_down(now);
  halted_ = true;
  for (auto& [write, action] : gate_.abandon()) {
    if (auto* held = std::get_if<Answer>(&action)) refuse(held->request, "the disk has failed");
  }
}

raftwire::Header Core::header() const noexcept {
  return {raftwire::kProtocolVersion, settings_.header_form, settings_.id, settings_.address};
}

Duration Core::spread(Duration least) {
  const auto width = static_cast<std::uint64_t>(least.count());
  if (width == 0) return least;
  return least + Duration{static_cast<Duration::rep>(random_() % width)};
}

bool Core::self_votes() const noexcept {
  const auto* self = configurations_.latest().find(settings_.id);
  return self != nullptr && self->voter();
}

} // namespace switchyard::raft

#include <plugins/raft/core/core.hpp>

#include <boost/assert.hpp>

#include <algorithm>

namespace switchyard::raft {
namespace {

/// A lease is not looked at more often than this.
constexpr Duration kLeaseCheckMin = std::chrono::milliseconds{10};

/// An earlier heartbeat may be lost; one more is sent for a read that came after it.
constexpr std::uint32_t kHeartbeatsInFlightMax = 2;

} // namespace

void Core::become_leader(Time now) {
  role_ = Role::Leader;
  election_ = Election::None;
  start_index_ = log_.last_index() + 1;
  peers_.clear();
  sync_peers(now);
  lease_due_ = now + settings_.lease_timeout;
  set_leader(settings_.id, settings_.address);
  append_own(raftwire::EntryType::Noop, {}, {});
  heartbeats(now); // the entry follows once it is with the driver
}

/// The term, and with it the vote, stays.
void Core::step_down(Time now) {
  if (role_ == Role::Leader) {
    for (const auto& [call, index] : std::exchange(calls_, {})) {
      finish(call, Outcome::LeadershipLost);
    }
    for (const auto& read : std::exchange(reads_, {}))
      finish(read.call, Outcome::LeadershipLost);
    if (auto transfer = std::exchange(transfer_, {})) {
      finish(transfer->call, Outcome::LeadershipLost);
    }
    peers_.clear();
  }
  role_ = Role::Follower;
  election_ = Election::None;
  set_leader({}, {});
  arm_election(settings_.heartbeat_timeout, now);
}

/// A configuration acts as soon as it is appended: its servers are sent to, others no more once
/// they have the entry that says so.
void Core::sync_peers(Time now) {
  const auto& members = configurations_.latest();
  for (const auto& server : members.servers) {
    if (server.id == settings_.id) continue;
    auto [at, joined] = peers_.try_emplace(server.id);
    auto& peer = at->second;
    peer.address = server.address;
    peer.leaving_at = 0;
    if (!joined) continue;
    peer.next = seen_index_ + 1; // what the driver has not got yet cannot be sent
    peer.last_contact = peer.append_due = peer.heartbeat_due = peer.retry_at = now;
  }
  for (auto& [id, peer] : peers_) {
    if (members.find(id) == nullptr && peer.leaving_at == 0) {
      peer.leaving_at = configurations_.latest_index();
    }
  }
}

void Core::heartbeats(Time now) {
  for (auto& [id, peer] : peers_) {
    const bool due = peer.heartbeats_in_flight == 0 && now >= peer.heartbeat_due;
    const bool asked = peer.heartbeat_round < round_ && peer.heartbeat_failures == 0 &&
                       peer.heartbeats_in_flight < kHeartbeatsInFlightMax;
    if (!due && !asked) continue;
    ++peer.heartbeats_in_flight;
    peer.heartbeat_round = round_;
    peer.heartbeat_due = now + spread(settings_.heartbeat_timeout / 10);
    send(id, peer.address, {id, ballot_.term, 0, round_, Heartbeat{ballot_.term}}, ballot_write_);
  }
}

/// Steps down when no majority has answered within the lease.
void Core::check_lease(Time now) {
  if (now < lease_due_) return;
  const auto& members = configurations_.latest();
  std::size_t reached = self_votes() ? 1 : 0;
  auto oldest = now;
  for (const auto& [id, peer] : peers_) {
    const auto* member = members.find(id);
    if (member == nullptr || !member->voter()) continue;
    if (now - peer.last_contact > settings_.lease_timeout) continue;
    ++reached;
    oldest = std::min(oldest, peer.last_contact);
  }
  if (reached < majority(members)) return step_down(now);
  lease_due_ = std::max(oldest + settings_.lease_timeout, now + kLeaseCheckMin);
}

/// The latest round in which a majority has accepted this leader.
std::uint64_t Core::confirmed_round() const {
  const auto& members = configurations_.latest();
  std::vector<std::uint64_t> rounds;
  if (self_votes()) rounds.push_back(round_);
  for (const auto& [id, peer] : peers_) {
    const auto* member = members.find(id);
    if (member != nullptr && member->voter()) rounds.push_back(peer.confirmed_round);
  }
  const auto needed = majority(members);
  BOOST_ASSERT(needed > 0 && rounds.size() >= needed);
  std::ranges::sort(rounds, std::greater{});
  return rounds[needed - 1];
}

} // namespace switchyard::raft

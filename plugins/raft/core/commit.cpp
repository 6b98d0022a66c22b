#include <plugins/raft/core/core.hpp>

#include <boost/assert.hpp>

#include <algorithm>

namespace switchyard::raft {

/// Commits what a majority has, if it is of this leadership; what came before is committed with it,
/// never by itself, for another leader may yet replace it.
void Core::update_commit(Time now) {
  const auto& members = configurations_.latest();
  std::vector<std::uint64_t> matches;
  for (const auto& server : members.servers) {
    if (!server.voter()) continue;
    if (server.id == settings_.id) {
      matches.push_back(durable_index_);
    } else {
      matches.push_back(peers_.at(server.id).match);
    }
  }
  std::ranges::sort(matches, std::greater{});
  const auto index = matches.at(majority(members) - 1);
  if (index > commit_ && index >= start_index_) advance_commit(index, now);
}

void Core::advance_commit(std::uint64_t index, Time now) {
  BOOST_ASSERT(index > commit_ && index <= log_.last_index());
  commit_ = index;
  configurations_.commit(index);
  apply();
  if (role_ != Role::Leader) return;

  while (!calls_.empty() && calls_.front().index <= commit_) {
    finish(calls_.front().call, Outcome::Committed, calls_.front().index);
    calls_.pop_front();
  }
  finish_reads();
  const auto& committed = configurations_.committed();
  const auto* self = committed.configuration.find(settings_.id);
  if (committed.index >= start_index_ && (self == nullptr || !self->voter())) {
    for (auto& [id, peer] : peers_)
      peer.append_due = now; // so that they learn the commit index
    replicate_all(now);
    step_down(now);
  }
}

/// Nothing is applied that a crash could take out of our own log again.
void Core::apply() {
  const auto index = std::min(commit_, durable_index_);
  if (index <= applied_) return;
  applied_ = index;
  actions_.push_back(Apply{index});
}

} // namespace switchyard::raft

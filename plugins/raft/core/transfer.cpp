#include <plugins/raft/core/core.hpp>

namespace switchyard::raft {

void Core::transfer(CallId call, std::string_view server, Time now) {
  if (!accepts(call, now)) return;
  const auto& members = configurations_.latest();
  std::string target{server};
  std::uint64_t furthest = 0;
  for (const auto& [id, peer] : peers_) {
    const auto* member = members.find(id);
    const bool votes = member != nullptr && member->voter();
    if (!server.empty() || !votes || (!target.empty() && peer.match <= furthest)) continue;
    target = id;
    furthest = peer.match;
  }
  const auto* member = members.find(target);
  if (member == nullptr || !member->voter() || target == settings_.id) {
    return finish(call, Outcome::Refused);
  }
  transfer_ = Transfer{call, target, now + settings_.election_timeout, false};
  advance_transfer(now);
}

/// The target has to have everything, or it could not be elected.
void Core::advance_transfer(Time now) {
  if (role_ != Role::Leader || !transfer_) return;
  if (now >= transfer_->deadline) {
    finish(std::exchange(transfer_, {})->call, Outcome::TimedOut);
    return;
  }
  const auto target = peers_.find(transfer_->target);
  if (transfer_->asked || target == peers_.end() || target->second.match < log_.last_index()) {
    return;
  }
  transfer_->asked = true;
  const raftwire::TimeoutNowRequest message{header()};
  send(
      target->first,
      target->second.address,
      {target->first, ballot_.term, 0, 0, message},
      ballot_write_);
}

} // namespace switchyard::raft

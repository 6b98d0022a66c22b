// From one version of the plugin to the next, over the same directory.
#include <plugins/raft/driver/node.hpp>

#include <algorithm>

namespace switchyard::raft {
namespace {

/// How long calls and the transfer of the leadership may take, besides a third of an election: the
/// host has a limit of its own for the pause, of 1 s.
constexpr std::chrono::milliseconds kAsideLimit{500};

/// How long what is on its way to the disk may take; the host waits for 10 s.
constexpr std::chrono::seconds kDiskLimit{4};

[[noreturn]] void refuse(const std::string& what) {
  throw Failure{SY_INVALID, "the data directory is not what was handed over: " + what};
}

std::string text(const Ballot& ballot) {
  return "term " + std::to_string(ballot.term) +
         (ballot.candidate.empty() ? "" : " with a vote for " + ballot.candidate);
}

} // namespace

/// Calls that wait come first: what they ask for is then certain to be done, and known to be. Both
/// together take no more than a third of an election, after which the others would elect somebody.
void Node::step_aside() {
  const auto begun = std::chrono::steady_clock::now();
  const auto limit = std::min<Duration>(settings_.core.election_timeout / 3, kAsideLimit);
  {
    std::unique_lock lock{mutex_};
    if (!core_ || ending_) throw Failure{SY_AGAIN, "the plugin is not active"};
    if (core_->halted()) throw Failure{SY_INTERNAL, disk_error_};
    refusing_ = true;
    progress_.wait_until(lock, begun + limit / 2, [this] { return calls_.empty(); });
  }
  const auto left = std::make_shared<bool>(false);
  leave([this, left] {
    const std::lock_guard lock{mutex_};
    *left = true;
    progress_.notify_all();
  });
  std::unique_lock lock{mutex_};
  progress_.wait_until(lock, begun + limit, [&] { return *left; });
}

HandOver Node::quiet() {
  std::unique_lock lock{mutex_};
  quiet_ = true;
  const bool written = progress_.wait_for(lock, kDiskLimit, [this] {
    return core_->halted() || (!writing_ && begun_ == wanted_ && !log_->has_batch());
  });
  if (core_->halted()) throw Failure{SY_INTERNAL, disk_error_};
  if (!written) throw Failure{SY_TIMED_OUT, "the disk is slow: what is to be written still waits"};
  led_ = core_->role() == Role::Leader;
  return {
      settings_.core.id,
      core_->ballot(),
      core_->log().last_index(),
      core_->log().last_term(),
      core_->snapshot().index,
      core_->commit_index(),
      led_,
      machine_error_};
}

void Node::hush() {
  const std::lock_guard lock{mutex_};
  refusing_ = quiet_ = true;
}

void Node::go_on() {
  {
    const std::lock_guard lock{mutex_};
    refusing_ = quiet_ = home_posted_ = false;
    outgoing_.clear();
    machine_work_.notify_one();
  }
  turn([](Core& core, Time time, Effects&) { core.failed_all(time); });
  home_turn();
}

void Node::take_over(const HandOver& handed, int lock) {
  begin([&] {
    if (handed.id != settings_.core.id) {
      refuse("it is of server " + handed.id + ", and this one is " + settings_.core.id);
    }
    if (!lock_) lock_.emplace(settings_.data_dir, lock);
    open_directory();
    open_core(handed.commit_index);
    const auto& log = core_->log();
    if (core_->ballot() != handed.ballot) {
      refuse(text(core_->ballot()) + ", not " + text(handed.ballot));
    }
    if (log.last_index() != handed.last_index || log.last_term() != handed.last_term) {
      refuse(
          "its log ends with entry " + std::to_string(log.last_index()) + " of term " +
          std::to_string(log.last_term()) + ", not with " + std::to_string(handed.last_index) +
          " of " + std::to_string(handed.last_term));
    }
    if (core_->snapshot().index < handed.snapshot_index) {
      refuse("its snapshot is older than entry " + std::to_string(handed.snapshot_index));
    }
    (machine_ ? machine_error_ : inherited_error_) = handed.machine_error;
    led_ = handed.leads;
  });
  if (std::exchange(led_, false)) campaign();
}

void Node::campaign() {
  turn([](Core& core, Time time, Effects&) { core.campaign(time); });
}

} // namespace switchyard::raft

#include <plugins/raft/core/core.hpp>

#include <algorithm>

namespace switchyard::raft {

using raftwire::EntryType;

void Core::propose(CallId call, std::string_view data, std::string_view extensions, Time now) {
  if (accepts(call, now)) append_call(call, EntryType::Command, data, extensions);
}

void Core::barrier(CallId call, Time now) {
  if (accepts(call, now)) append_call(call, EntryType::Barrier, {}, {});
}

/// Before the first entry of this leadership is committed, what earlier ones committed is not
/// known.
void Core::verify(CallId call, Time now) {
  if (!accepts(call, now)) return;
  reads_.push_back({call, std::max(commit_, start_index_), ++round_});
  heartbeats(now);
  finish_reads();
}

bool Core::accepts(CallId call, Time now) {
  now_ = now;
  if (role_ != Role::Leader) {
    finish(call, Outcome::NotLeader);
  } else if (transfer_) {
    finish(call, Outcome::Transferring);
  } else if (calls_.size() + reads_.size() >= settings_.calls_max) {
    finish(call, Outcome::Busy);
  } else {
    return true;
  }
  return false;
}

void Core::append_call(
    CallId call, EntryType type, std::string_view data, std::string_view extensions) {
  calls_.push_back({call, log_.last_index() + 1});
  append_own(type, data, extensions);
}

void Core::append_own(EntryType type, std::string_view data, std::string_view extensions) {
  const raftwire::Entry entry{log_.last_index() + 1, ballot_.term, type, data, extensions};
  append({&entry, 1});
  new_entries_ = true;
}

void Core::finish(CallId call, Outcome outcome, std::uint64_t index) {
  actions_.push_back(CallDone{call, outcome, index});
}

void Core::finish_reads() {
  if (reads_.empty()) return;
  const auto confirmed = confirmed_round();
  while (!reads_.empty() && reads_.front().round <= confirmed && reads_.front().index <= commit_) {
    finish(reads_.front().call, Outcome::Committed, reads_.front().index);
    reads_.pop_front();
  }
}

} // namespace switchyard::raft

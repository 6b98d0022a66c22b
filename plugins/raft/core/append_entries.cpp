#include <plugins/raft/core/core.hpp>

#include <boost/assert.hpp>

#include <algorithm>

namespace switchyard::raft {

using raftwire::AppendEntriesAnswer;
using raftwire::AppendEntriesRequest;
using raftwire::Entry;

void Core::receive(RequestId request, const AppendEntriesRequest& message, Time now) {
  AppendEntriesAnswer reply{header(), ballot_.term, log_.last_index(), false, false};
  if (message.term < ballot_.term) return answer(request, ballot_write_, reply);
  if (role_ == Role::Leader && message.term == ballot_.term) {
    violated(request, "another leader in term " + std::to_string(ballot_.term));
    return step_down(now);
  }
  if (message.term > ballot_.term || role_ != Role::Follower) become_follower(message.term, now);
  reply.term = ballot_.term;
  follow(message.header, message.leader);

  // Below the snapshot everything is committed, so it is the same in every log.
  const auto previous = message.previous_index;
  const auto term_there = log_.term(previous);
  const bool matches = previous == 0 || (previous < snapshot_.index && !term_there) ||
                       term_there == message.previous_term;
  if (!matches) {
    reply.no_retry_backoff = true;
    return answer(request, ballot_write_, reply);
  }
  if (!append_received(request, message)) return;

  // Only what the request has proved to be the leader's; behind it may be a stale tail.
  const auto proved = previous + message.entries.size();
  const auto commit = std::min(message.commit_index, proved);
  if (commit > commit_) advance_commit(commit, now);

  reply.success = true;
  last_contact_ = now;
  const auto after = message.entries.empty() ? ballot_write_ : std::max(ballot_write_, log_write_);
  answer(request, after, reply);
}

/// Makes the log agree with the request; false if that cannot be, and the request is refused.
bool Core::append_received(RequestId request, const AppendEntriesRequest& message) {
  auto missing = message.entries.begin();
  for (; missing != message.entries.end(); ++missing) {
    const auto term_there = log_.term(missing->index);
    if (missing->index <= snapshot_.index && !term_there) continue;
    if (term_there == missing->term) continue;
    if (!term_there) break;
    if (missing->index <= commit_) {
      violated(request, "committed entry " + std::to_string(missing->index) + " contradicted");
      return false;
    }
    truncate(missing->index);
    break;
  }
  if (missing != message.entries.end()) append({missing, message.entries.end()});
  return true;
}

/// What a driver sees of it is the append that follows at once, of an index the log has already.
void Core::truncate(std::uint64_t index) {
  BOOST_ASSERT(index > commit_);
  log_.truncate(index);
  configurations_.truncate(index);
  durable_index_ = std::min(durable_index_, index - 1);
  seen_index_ = std::min(seen_index_, index - 1);
  for (auto& pending : pending_appends_) {
    pending.last_index = std::min(pending.last_index, index - 1);
  }
}

void Core::append(std::span<const Entry> entries) {
  BOOST_ASSERT(!entries.empty() && entries.front().index == log_.last_index() + 1);
  for (const auto& entry : entries) {
    log_.append(entry.term);
    if (!raftwire::changes_servers(entry.type)) continue;
    auto configuration = raftwire::configuration_of(entry);
    BOOST_ASSERT(configuration); // the decoder and our own calls see to that
    configurations_.append(entry.index, std::move(*configuration));
  }
  log_write_ = gate_.issue();
  pending_appends_.push_back({log_write_, log_.last_index()});
  actions_.push_back(Append{log_write_, {entries.begin(), entries.end()}});
}

} // namespace switchyard::raft

#include <plugins/raft/core/core.hpp>

#include <boost/assert.hpp>

#include <algorithm>

namespace switchyard::raft {

using raftwire::AppendEntriesAnswer;

namespace {

/// How long to wait after so many failures in a row. Source: hashicorp/raft util.go, backoff.
Duration backoff(std::uint32_t failures) {
  constexpr Duration kFirst = std::chrono::milliseconds{10};
  constexpr std::uint32_t kDoubled = 10;
  if (failures == 0) return Duration{};
  return kFirst * (1 << std::min(failures > 2 ? failures - 2 : 0, kDoubled));
}

} // namespace

void Core::replicated(Progress& peer, const Outstanding& sent) {
  const auto& entries = std::get<Replicate>(sent.message);
  const auto proved = entries.previous_index + entries.count;
  if (sent.epoch == peer.epoch) {
    --peer.in_flight;
    peer.mode = Progress::Mode::Pipeline;
    peer.failures = 0;
    peer.next = std::max(peer.next, proved + 1);
  }
  // Nothing but entries proves anything.
  if (entries.count > 0) peer.match = std::max(peer.match, proved);
}

void Core::snapshot_sent(Progress& peer, const Outstanding& sent, bool success, Time now) {
  const auto& meta = std::get<SendSnapshot>(sent.message).meta;
  if (!success) return replication_failed(peer, sent, now);
  peer.match = std::max(peer.match, meta.index);
  if (sent.epoch != peer.epoch) return;
  --peer.in_flight;
  peer.mode = Progress::Mode::Probe;
  peer.failures = 0;
  peer.next = std::max(peer.next, meta.index + 1);
  peer.append_due = now;
}

void Core::send(
    const std::string& server, const std::string& address, Outstanding what, WriteId after) {
  const auto id = ++last_send_;
  auto message = what.message;
  outstanding_.emplace(id, std::move(what));
  gate_.pass(after, Send{id, server, address, std::move(message)}, actions_);
}

void Core::replicate_all(Time now) {
  for (auto& [id, peer] : peers_)
    replicate(id, peer, now);
}

void Core::replicate(const std::string& server, Progress& peer, Time now) {
  if (peer.mode == Progress::Mode::Snapshot || now < peer.retry_at) return;
  if (peer.leaving_at != 0 && peer.next > peer.leaving_at) return;

  const auto window = peer.mode == Progress::Mode::Pipeline ? settings_.pipeline_max : 1;
  while (peer.in_flight < window) {
    if (peer.next <= log_.base_index()) return send_snapshot(server, peer);
    const bool news = peer.next <= seen_index_;
    if (!news && (peer.in_flight > 0 || now < peer.append_due)) return;
    send_entries(server, peer, now);
    if (!news) return;
  }
}

void Core::send_entries(const std::string& server, Progress& peer, Time now) {
  const auto previous = peer.next - 1;
  const auto wanted = std::min<std::uint64_t>(seen_index_ - previous, settings_.entries_max);
  auto count = static_cast<std::uint32_t>(wanted);
  if (count > 1) count = sizes_.fitting(peer.next, count, settings_.entry_bytes_max);
  // Never more than the request covers: an old follower believes it for all of its log.
  const auto commit = std::min(commit_, previous + count);
  const Replicate message{ballot_.term, previous, log_.term(previous).value(), count, commit};

  ++peer.in_flight;
  if (peer.mode == Progress::Mode::Pipeline) peer.next += count;
  peer.append_due = now + spread(settings_.commit_timeout);
  send(server, peer.address, {server, ballot_.term, peer.epoch, round_, message}, ballot_write_);
}

void Core::send_snapshot(const std::string& server, Progress& peer) {
  BOOST_ASSERT(snapshot_.index >= log_.base_index());
  if (peer.in_flight > 0) return;
  peer.mode = Progress::Mode::Snapshot;
  ++peer.in_flight;
  const SendSnapshot message{ballot_.term, snapshot_};
  send(server, peer.address, {server, ballot_.term, peer.epoch, round_, message}, ballot_write_);
}

void Core::heartbeat_failed(Progress& peer, Time now) {
  --peer.heartbeats_in_flight;
  ++peer.heartbeat_failures;
  const auto wait = std::min(backoff(peer.heartbeat_failures), settings_.heartbeat_timeout / 2);
  peer.heartbeat_due = std::max(peer.heartbeat_due, now + wait);
}

/// What went after it on the same way is lost with it, or does not fit.
void Core::replication_failed(Progress& peer, const Outstanding& sent, Time now) {
  if (const auto* entries = std::get_if<Replicate>(&sent.message)) {
    peer.next = std::max(peer.match + 1, std::min(peer.next, entries->previous_index + 1));
  }
  if (sent.epoch != peer.epoch) return;
  ++peer.epoch;
  peer.in_flight = 0;
  peer.mode = Progress::Mode::Probe;
  peer.retry_at = now + backoff(++peer.failures);
}

/// Walks back to where the logs part. The commit index we send never exceeds what a request
/// covers; only that makes steps of more than one entry safe.
void Core::replication_refused(
    Progress& peer, const Outstanding& sent, const AppendEntriesAnswer& answer, Time now) {
  if (sent.epoch != peer.epoch) return;
  const auto previous = std::get<Replicate>(sent.message).previous_index;
  ++peer.epoch;
  peer.in_flight = 0;
  peer.mode = Progress::Mode::Probe;
  peer.next = std::max<std::uint64_t>(1, std::min(previous, answer.last_index + 1));
  peer.append_due = now;
  if (!answer.no_retry_backoff) peer.retry_at = now + backoff(++peer.failures);
}

} // namespace switchyard::raft

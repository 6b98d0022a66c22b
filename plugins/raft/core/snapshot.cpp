#include <plugins/raft/core/core.hpp>
#include <proto/raftwire/error.hpp>

#include <boost/assert.hpp>

#include <algorithm>

namespace switchyard::raft {

using raftwire::Configuration;
using raftwire::InstallSnapshotAnswer;
using raftwire::InstallSnapshotRequest;

namespace {

std::span<const std::byte> bytes_of(std::string_view text) noexcept {
  return std::as_bytes(std::span{text});
}

/// Who the members are according to the snapshot, in either way to say it.
boost::system::result<Configuration> members_of(const InstallSnapshotRequest& message) {
  auto members = message.version == 0
                     ? raftwire::decode_peers(bytes_of(message.peers))
                     : raftwire::decode_configuration(bytes_of(message.configuration));
  if (members && !members->valid()) return raftwire::Error::InvalidConfiguration;
  return members;
}

} // namespace

void Core::receive(RequestId request, const InstallSnapshotRequest& message, Time now) {
  // Like Go, which leaves this header zero.
  InstallSnapshotAnswer reply{{0, settings_.header_form, {}, {}}, ballot_.term, false};
  if (message.version < 0 || message.version > raftwire::kSnapshotVersion) {
    auto error = "unsupported snapshot version " + std::to_string(message.version);
    return answer(request, ballot_write_, reply, std::move(error));
  }
  if (message.term < ballot_.term) return answer(request, ballot_write_, reply);
  if (role_ == Role::Leader && message.term == ballot_.term) {
    violated(request, "another leader in term " + std::to_string(ballot_.term));
    return step_down(now);
  }
  auto members = members_of(message);
  const auto members_at = message.version == 0 ? message.last_index : message.configuration_index;
  if (!members || message.last_index == 0 || message.last_term > message.term ||
      members_at > message.last_index) {
    return answer(request, ballot_write_, reply, "not a valid snapshot");
  }
  if (message.term > ballot_.term || role_ != Role::Follower) become_follower(message.term, now);
  follow(message.header, message.leader);

  const SnapshotMeta meta{message.last_index, message.last_term, std::move(*members), members_at};
  incoming_.insert_or_assign(request, IncomingSnapshot{message.term, meta});
  actions_.push_back(ReceiveSnapshot{request});
}

void Core::snapshot_failed(RequestId request, std::string_view error, Time now) {
  now_ = now;
  incoming_.erase(request);
  if (halted_) return refuse(request, error);
  const InstallSnapshotAnswer reply{{0, settings_.header_form, {}, {}}, ballot_.term, false};
  answer(request, ballot_write_, reply, std::string{error});
}

void Core::snapshot_ready(RequestId request, Time now) {
  now_ = now;
  const auto found = incoming_.find(request);
  BOOST_ASSERT(found != incoming_.end());
  const auto [term, meta] = std::move(incoming_.extract(found).mapped());

  InstallSnapshotAnswer reply{{0, settings_.header_form, {}, {}}, ballot_.term, false};
  if (halted_ || term != ballot_.term || role_ != Role::Follower) {
    actions_.push_back(DropSnapshot{request});
    if (halted_) return refuse(request, "the disk has failed");
    return answer(request, ballot_write_, reply);
  }
  reply.success = true;
  last_contact_ = now;
  if (meta.index <= commit_) {
    actions_.push_back(DropSnapshot{request});
  } else {
    install(request, meta);
  }
  answer(request, std::max(ballot_write_, log_write_), reply);
}

void Core::install(RequestId request, const SnapshotMeta& meta) {
  const bool keeps_log = log_.term(meta.index) == meta.term;
  if (!keeps_log) {
    log_ = TermRuns{meta.index, meta.term};
    for (auto& pending : pending_appends_)
      pending.last_index = 0;
    durable_index_ = 0;
    seen_index_ = meta.index;
  }
  const auto kept = keeps_log ? meta.index : ~std::uint64_t{0};
  configurations_.rebase({meta.configuration_index, meta.configuration}, kept);
  snapshot_ = meta;
  commit_ = meta.index;
  configurations_.commit(commit_);
  applied_ = meta.index;

  log_write_ = gate_.issue();
  pending_appends_.push_back({log_write_, log_.last_index()});
  actions_.push_back(InstallSnapshot{log_write_, request, meta, keeps_log});
}

std::optional<SnapshotMeta> Core::snapshot_point(std::uint64_t applied) const {
  const auto& committed = configurations_.committed();
  if (applied <= snapshot_.index || applied < committed.index || applied > applied_) {
    return std::nullopt;
  }
  return SnapshotMeta{
      applied, log_.term(applied).value(), committed.configuration, committed.index};
}

void Core::snapshot_saved(const SnapshotMeta& meta, Time now) {
  now_ = now;
  if (meta.index <= snapshot_.index) return;
  snapshot_ = meta;
  const auto trailing = std::min(settings_.trailing_entries, log_.last_index());
  const auto cut = std::min(meta.index, log_.last_index() - trailing);
  if (cut <= log_.base_index()) return;
  log_.compact(cut);
  actions_.push_back(Compact{cut});
}

} // namespace switchyard::raft

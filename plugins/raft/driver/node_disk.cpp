// The data directory, and the thread that writes to it.
#include <plugins/raft/driver/node.hpp>
#include <plugins/raft/log/error.hpp>
#include <plugins/raft/log/posix_disk.hpp>
#include <plugins/raft/snapshot/snapshot_store.hpp>

#include <random>

namespace switchyard::raft {
namespace {

[[noreturn]] void
refuse(const std::string& what, const std::string& where, boost::system::error_code error) {
  throw Failure{SY_INVALID, what + " " + where + ": " + error.message()};
}

} // namespace

void Node::open_directory() {
  if (!lock_) lock_.emplace(settings_.data_dir);
  auto disk = raft::open_directory(settings_.data_dir);
  if (!disk) refuse("cannot open the data directory", settings_.data_dir, disk.error());
  disk_ = std::move(*disk);
}

/// One entry and a term, the same on every founding server.
void Node::found(const raftwire::Configuration& founders) {
  const auto data = raftwire::encode_configuration(founders);
  log_->append({1, 1, raftwire::EntryType::Configuration, data, {}});
  auto saved = ballots_->save({1, {}});
  const auto batch = log_->take_batch();
  if (saved) saved = LogBatch{batch}.write(*disk_, settings_.log);
  if (!saved) refuse("cannot write to", settings_.data_dir, saved.error());
  log_->written(batch);
}

void Node::open_core(std::uint64_t commit_index) {
  const auto& directory = settings_.data_dir;
  std::string where;
  auto snapshot = open_latest_snapshot(*disk_, where);
  if (!snapshot) refuse("cannot read the snapshot", directory + "/" + where, snapshot.error());
  snapshot_ = std::move(*snapshot);
  const auto meta = snapshot_ ? snapshot_->meta() : SnapshotMeta{};

  auto ballots = BallotFile::open(*disk_);
  if (!ballots) refuse("cannot read", directory + "/ballot", ballots.error());
  ballots_.emplace(std::move(*ballots));
  // Received from a leader of a term that was not written yet. A term without a vote is always safe
  // to enter: who votes in one has written that first.
  auto ballot = ballots_->ballot();
  if (ballot.term < meta.term) {
    ballot = {meta.term, {}};
    if (const auto saved = ballots_->save(ballot); !saved) {
      refuse("cannot write", directory + "/ballot", saved.error());
    }
  }
  LogContent content;
  auto log = Log::open(*disk_, settings_.log, content, where);
  if (!log) refuse("cannot read the log", directory + "/" + where, log.error());
  log_ = std::move(*log);
  auto durable = raft::recover(ballot, meta, std::move(content), *log_);
  if (!durable) refuse("cannot use the log in", directory, durable.error());
  if (log_->has_batch()) {
    const auto batch = log_->take_batch();
    if (const auto done = LogBatch{batch}.write(*disk_, settings_.log); !done) {
      refuse("cannot write to", directory, done.error());
    }
    log_->written(batch);
  }
  std::random_device seed;
  auto random = [engine = std::mt19937_64{std::uint64_t{seed()} << 32 | seed()}]() mutable {
    return engine();
  };
  durable->commit_index = std::min(commit_index, log_->last_index());
  core_ = std::make_unique<Core>(settings_.core, std::move(*durable), *log_, random, now());
  apply_to_ = core_->commit_index();
  applied_ = meta.index;
}

/// All that has come while the last batch was written is the next one.
void Node::write_disk() {
  std::unique_lock lock{mutex_};
  for (;;) {
    disk_work_.wait(lock, [this] { return ending_ || begun_ != wanted_ || log_->has_batch(); });
    if (ending_ || core_->halted()) return;
    begun_ = wanted_;
    const auto upto = begun_;
    const auto ballot = std::exchange(ballot_to_write_, {});
    const auto installed = std::exchange(installing_, 0);
    const auto outdated = std::exchange(outdated_snapshot_, {});
    auto batch = log_->take_batch();
    writing_ = true;
    lock.unlock();

    boost::system::result<void> done;
    if (ballot) done = ballots_->save(*ballot);
    if (done) done = batch.write(*disk_, settings_.log);

    Effects effects;
    lock.lock();
    writing_ = false;
    if (done) {
      metrics_.writes.add();
      log_->written(batch);
      if (installed != 0) {
        install_written_ = true;
        machine_work_.notify_one();
      }
      if (!outdated.empty()) {
        files_.post([this, outdated] { static_cast<void>(disk_->remove(outdated)); });
      }
      core_->persisted(upto, now());
    } else {
      disk_error_ = "the disk has failed, and this server takes no part any more until it is "
                    "started again: " +
                    done.error().message();
      core_->persist_failed(now());
      host_.log(SY_LOG_ERROR, disk_error_);
    }
    act(effects);
    if (refusing_) progress_.notify_all();
    lock.unlock();
    after_turn(effects);
    lock.lock();
  }
}

} // namespace switchyard::raft

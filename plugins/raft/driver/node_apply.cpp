// The thread that calls the state machine.
#include <switchyard/bytes.hpp>

#include <plugins/raft/driver/node.hpp>

#include <boost/assert.hpp>

namespace switchyard::raft {
namespace {

constexpr std::size_t kBatchEntries = 512;
constexpr std::size_t kBatchBytes = 4U << 20;

} // namespace

void Node::run_machine() {
  std::unique_lock lock{mutex_};
  const auto installed = [this] { return restored_ == 0 || install_written_; };
  const auto usable = [this] { return machine_ != nullptr && machine_error_.empty(); };
  for (;;) {
    machine_work_.wait(lock, [&] {
      if (ending_ || quiet_) return ending_;
      return !displaced_.empty() || !to_restore_.empty() || (restored_ != 0 && install_written_) ||
             (usable() && (!machine_placed_ || leadership_ ||
                           (!snapshot_calls_.empty() && !taking_snapshot_ && restored_ == 0) ||
                           (installed() && applied_ < apply_to_)));
    });
    if (ending_) return;
    if (!displaced_.empty()) {
      auto displaced = std::exchange(displaced_, {});
      lock.unlock();
      for (const auto& machine : displaced)
        machine->placed(false);
      displaced.clear();
      lock.lock();
      continue;
    }
    if (restored_ != 0 && install_written_) {
      const auto machine = std::exchange(restored_by_, nullptr);
      const auto index = receipts_.at(restored_)->meta.index;
      receipts_.erase(std::exchange(restored_, 0));
      if (machine != nullptr && machine == machine_) {
        lock.unlock();
        machine->restored(true);
        lock.lock();
        if (machine == machine_) applied_ = std::max(applied_, index);
      } else {
        machine_placed_ = false; // it takes the file when its turn comes
        if (machine != nullptr) {
          lock.unlock();
          machine->restored(false);
          lock.lock();
        }
      }
      continue;
    }
    if (!to_restore_.empty()) {
      restore_received(lock);
      continue;
    }
    if (!machine_placed_ && !place_machine(lock)) continue;
    if (leadership_) {
      const auto change = *std::exchange(leadership_, {});
      auto machine = Machine::held(machine_);
      lock.unlock();
      if (machine) machine->tell(change);
      machine.reset();
      lock.lock();
    }
    if (installed() && applied_ < apply_to_) apply_some(lock);
    maybe_take_snapshot(lock);
  }
}

/// Brings a state machine that has come to where the log can go on from.
bool Node::place_machine(std::unique_lock<std::mutex>& lock) {
  const auto machine = Machine::held(machine_);
  const auto snapshot = snapshot_;
  if (!machine) return machine_ = nullptr, false; // it is about to be unbound
  lock.unlock();
  auto at = machine->applied();
  std::string error;
  auto status = at ? SY_OK : SY_REVOKED;
  if (at && snapshot && *at < snapshot->meta().index) {
    status = machine->restore(snapshot, cancelled_, error);
    if (status == SY_OK) machine->restored(true);
    at = snapshot->meta().index;
  }
  lock.lock();
  if (machine_ != machine || ending_) return false;
  if (status == SY_REVOKED) {
    machine_ = nullptr; // it is about to be unbound
    return false;
  }
  if (status != SY_OK) {
    machine_failed("the snapshot cannot be restored: " + error);
    return false;
  }
  if (*at > core_->log().last_index()) {
    machine_failed(
        "the state machine has applied " + std::to_string(*at) + ", but the log ends at " +
        std::to_string(core_->log().last_index()) + ": this is not the log it was made from");
    return false;
  }
  leadership_ = leader_;
  applied_ = *at;
  machine_placed_ = true;
  Effects effects;
  calls_.passed(applied_, effects.finished);
  lock.unlock();
  machine->placed(true);
  lock.lock();
  tell_ended(effects, lock);
  return machine_ == machine && machine_placed_ && !ending_;
}

/// What has ended, without the lock meanwhile.
void Node::tell_ended(const Effects& effects, std::unique_lock<std::mutex>& lock) {
  if (effects.finished.empty()) return;
  if (refusing_) progress_.notify_all();
  lock.unlock();
  for (const auto& finished : effects.finished)
    finished.tell();
  lock.lock();
}

void Node::machine_failed(std::string text) {
  machine_error_ = std::move(text);
  host_.log(SY_LOG_ERROR, "nothing more is applied: " + machine_error_);
}

void Node::apply_some(std::unique_lock<std::mutex>& lock) {
  struct Read {
    std::optional<StoredEntry> stored; ///< in memory
    LogPlace place;                    ///< or on the disk
  };

  std::vector<Read> reads;
  std::size_t bytes = 0;
  const auto last = std::min<std::uint64_t>(apply_to_, applied_ + kBatchEntries);
  const auto first = applied_ + 1;
  if (first < log_->first_index()) {
    return machine_failed("entry " + std::to_string(first) + " is not in the log any more");
  }
  for (auto index = first; index <= last && bytes < kBatchBytes; ++index) {
    auto& read = reads.emplace_back();
    if (const auto entry = log_->recent(index)) {
      read.stored.emplace();
      auto& into = read.stored->bytes;
      const auto data = std::as_bytes(std::span{entry->data});
      const auto extensions = std::as_bytes(std::span{entry->extensions});
      into.reserve(data.size() + extensions.size());
      into.insert(into.end(), data.begin(), data.end());
      into.insert(into.end(), extensions.begin(), extensions.end());
      const auto* text = reinterpret_cast<const char*>(into.data());
      read.stored->entry = *entry;
      read.stored->entry.data = {text, data.size()};
      read.stored->entry.extensions = {text + data.size(), extensions.size()};
      bytes += into.size();
    } else {
      read.place = log_->place(index);
      bytes += read.place.size;
    }
  }
  const auto machine = Machine::held(machine_);
  if (!machine) {
    machine_ = nullptr; // it is about to be unbound
    return;
  }
  lock.unlock();

  std::string error;
  std::vector<sy_raft_entry> commands;
  std::vector<std::string> results;
  for (auto& read : reads) {
    if (!read.stored) {
      auto stored = read.place.read();
      if (!stored) {
        error = "entry " + std::to_string(read.place.index) +
                " cannot be read: " + stored.error().message();
        break;
      }
      read.stored = std::move(*stored);
    }
    const auto& entry = read.stored->entry;
    if (entry.type != raftwire::EntryType::Command) continue;
    commands.push_back(
        {entry.index,
         entry.term,
         {entry.data.data(), entry.data.size()},
         {entry.extensions.data(), entry.extensions.size()}});
  }
  auto status = error.empty() ? SY_OK : SY_INTERNAL;
  if (status == SY_OK && !commands.empty()) {
    status = machine->apply(commands, results, error);
    metrics_.applied.add(static_cast<double>(commands.size()));
  }

  Effects effects;
  lock.lock();
  if (status == SY_OK && machine_ == machine) {
    for (std::size_t i = 0; i < commands.size(); ++i) {
      if (calls_.awaits(commands[i].index)) {
        calls_.applied(commands[i].index, std::move(results[i]), effects.finished);
      }
    }
    applied_ += reads.size();
    calls_.passed(applied_, effects.finished);
  } else if (machine_ == machine && status != SY_REVOKED) {
    machine_failed(std::move(error));
  } else if (machine_ == machine) {
    machine_ = nullptr; // it is about to be unbound
  }
  tell_ended(effects, lock);
}

/// A snapshot has come whole: the state machine takes it beside its state, and the core says which
/// of the two it is to be.
void Node::restore_received(std::unique_lock<std::mutex>& lock) {
  const auto request = to_restore_.front();
  to_restore_.erase(to_restore_.begin());
  const auto receipt = receipts_.at(request);
  const auto machine =
      machine_error_.empty() && machine_placed_ ? Machine::held(machine_) : nullptr;
  const bool useful = receipt->file != nullptr;
  lock.unlock();
  std::string error;
  auto status = SY_OK;
  if (useful && machine) status = machine->restore(receipt->file, receipt->cancelled, error);
  lock.lock();
  if (ending_ || quiet_) {
    to_restore_.insert(to_restore_.begin(), request);
    lock.unlock();
    if (useful && machine && status == SY_OK) machine->restored(false);
    lock.lock();
    return;
  }

  Effects effects;
  if (status == SY_OK) {
    core_->snapshot_ready(request, now());
    act(effects);
    if (receipts_.contains(request)) { // and not dropped
      restored_ = request;
      if (useful) restored_by_ = machine;
    }
  } else {
    files_.post([this, name = receipt->file->name()] { static_cast<void>(disk_->remove(name)); });
    receipts_.erase(request);
    core_->snapshot_failed(request, "failed to restore snapshot: " + error, now());
    act(effects);
  }
  const bool dropped = restored_ == 0;
  lock.unlock();
  if (dropped && useful && machine && status == SY_OK) machine->restored(false);
  after_turn(effects);
  lock.lock();
}

void Node::maybe_take_snapshot(std::unique_lock<std::mutex>& lock) {
  const bool asked = !snapshot_calls_.empty();
  const auto taken = std::max(snapshot_ ? snapshot_->meta().index : 0, snapshot_tried_);
  if (taking_snapshot_ || restored_ != 0 || machine_ == nullptr || !machine_placed_) return;
  if (!asked && applied_ < taken + settings_.snapshot_threshold) return;

  Effects effects;
  const auto point = core_->snapshot_point(applied_);
  if (!point) {
    const auto have = snapshot_ ? snapshot_->meta().index : 0;
    for (const auto call : std::exchange(snapshot_calls_, {})) {
      if (have == applied_ && have != 0) {
        calls_.finish(call, SY_OK, have, {}, effects.finished);
      } else {
        calls_.finish(
            call,
            SY_RAFT_NOT_NOW,
            0,
            "nothing is applied yet that a snapshot could hold",
            effects.finished);
      }
    }
    snapshot_tried_ = applied_;
    lock.unlock();
    after_turn(effects);
    lock.lock();
    return;
  }
  const auto machine = Machine::held(machine_);
  if (!machine) {
    machine_ = nullptr; // it is about to be unbound
    return;
  }
  taking_snapshot_ = true;
  snapshot_tried_ = applied_;
  lock.unlock();
  std::string error;
  std::shared_ptr<Machine::View> view = machine->capture(error);
  if (view == nullptr) {
    snapshot_taken(*point, nullptr, error);
  } else {
    snapshots_.post([this, machine, view = std::move(view), meta = *point]() mutable {
      std::string why;
      std::shared_ptr<const SnapshotFile> file;
      auto writer = SnapshotWriter::create(*disk_, meta, SnapshotOrigin::Taken);
      if (!writer) {
        why = writer.error().message();
      } else if (view->write(*writer, cancelled_, why) == SY_OK) {
        const auto done = writer->finish(*disk_);
        auto opened =
            done ? SnapshotFile::open(*disk_, snapshot_name(meta, SnapshotOrigin::Taken))
                 : boost::system::result<std::shared_ptr<const SnapshotFile>>{done.error()};
        if (opened) {
          file = std::move(*opened);
        } else {
          why = opened.error().message();
        }
      }
      view.reset();
      if (!file) {
        static_cast<void>(disk_->remove(snapshot_name(meta, SnapshotOrigin::Taken)));
      }
      snapshot_taken(meta, std::move(file), why);
    });
  }
  lock.lock();
}

void Node::snapshot_taken(
    const SnapshotMeta& meta, std::shared_ptr<const SnapshotFile> file, const std::string& error) {
  Effects effects;
  {
    const std::lock_guard lock{mutex_};
    taking_snapshot_ = false;
    machine_work_.notify_one();
    if (closed()) return;
    const auto calls = std::exchange(snapshot_calls_, {});
    if (!file) {
      host_.log(SY_LOG_ERROR, "no snapshot could be taken: " + error);
      for (const auto call : calls)
        calls_.finish(
            call, SY_INTERNAL, 0, "no snapshot could be taken: " + error, effects.finished);
    } else {
      metrics_.snapshots_taken.add();
      auto outdated = file;
      if (!snapshot_ || snapshot_->meta().index < meta.index) {
        outdated = std::exchange(snapshot_, file);
        unannounced_ = meta;
        announce_saved(effects);
      }
      if (outdated) {
        files_.post([this, name = outdated->name()] { static_cast<void>(disk_->remove(name)); });
      }
      for (const auto call : calls)
        calls_.finish(call, SY_OK, meta.index, {}, effects.finished);
    }
    act(effects);
  }
  after_turn(effects);
}

/// The log is cut no further than to where the state machine would begin after a crash.
void Node::announce_saved(Effects&) {
  if (!unannounced_) return;
  if (machine_ && machine_->persistent() && machine_durable_ < unannounced_->index) return;
  core_->snapshot_saved(*std::exchange(unannounced_, {}), now());
}

} // namespace switchyard::raft

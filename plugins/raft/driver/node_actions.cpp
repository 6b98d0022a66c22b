// What the core says is to be done: noted under the lock, done without it.
#include <plugins/raft/driver/node.hpp>

#include <algorithm>

namespace switchyard::raft {

void Node::act(Effects& effects) {
  for (auto actions = core_->take_actions(); !actions.empty(); actions = core_->take_actions()) {
    for (auto& action : actions) {
      std::visit([&](auto& one) { carry_out(one, effects); }, action);
    }
  }
  effects.wakes_disk = wanted_ != begun_ || log_->has_batch();
}

void Node::carry_out(SaveBallot& action, Effects&) {
  ballot_to_write_ = action.ballot;
  wanted_ = action.write;
}

void Node::carry_out(Append& action, Effects&) {
  const auto from = action.entries.front().index;
  if (from <= log_->last_index()) log_->truncate(from);
  for (const auto& entry : action.entries)
    log_->append(entry);
  wanted_ = action.write;
}

void Node::carry_out(InstallSnapshot& action, Effects&) {
  if (!action.keeps_log) log_->reset(action.meta.index + 1);
  if (snapshot_) outdated_snapshot_ = snapshot_->name();
  snapshot_ = receipts_.at(action.request)->file;
  installing_ = action.request;
  install_written_ = false;
  wanted_ = action.write;
  metrics_.snapshots_received.add();
}

void Node::carry_out(Compact& action, Effects&) {
  log_->compact(action.index);
}

void Node::carry_out(Apply& action, Effects& effects) {
  apply_to_ = action.index;
  effects.wakes_machine = true;
}

void Node::deliver(Delivery delivery) {
  const auto loop = delivery.to->loop();
  deliveries_[loop].push_back(std::move(delivery));
}

void Node::carry_out(Answer& action, Effects&) {
  const auto found = requests_.find(action.request);
  if (found == requests_.end()) return;
  const auto origin = std::move(found->second);
  requests_.erase(found);
  deliver({origin.from, origin.slot, encode(action)});
}

/// The newest is what counts: its sender leads, and the one before it may have gone.
void Node::carry_out(ReceiveSnapshot& action, Effects&) {
  for (auto& [request, receipt] : receipts_) {
    if (request != restored_ && request != installing_) receipt->cancelled = true;
  }
  const auto& origin = requests_.at(action.request);
  auto receipt = std::make_shared<Receipt>();
  receipt->meta = origin.announced;
  receipts_[action.request] = receipt;
  // What is committed here already would be dropped after all.
  if (origin.announced.index > core_->commit_index()) {
    files_.post([this, receipt] {
      auto writer = SnapshotWriter::create(*disk_, receipt->meta, SnapshotOrigin::Received);
      if (writer) {
        receipt->writer.emplace(std::move(*writer));
      } else {
        receipt->failed = writer.error();
      }
    });
  }
  deliver({origin.from, origin.slot, {}, action.request});
}

void Node::carry_out(DropSnapshot& action, Effects&) {
  const auto receipt = receipts_.extract(action.request);
  if (receipt.empty() || !receipt.mapped()->file) return;
  files_.post(
      [this, name = receipt.mapped()->file->name()] { static_cast<void>(disk_->remove(name)); });
}

/// Encodes what is in memory; of the rest, says where it lies. False: it cannot be sent.
bool Node::gather(const Replicate& message, Outgoing& into) {
  std::vector<raftwire::Entry> entries;
  entries.reserve(message.count);
  const auto first = message.previous_index + 1;
  if (message.count > 0 &&
      (first < log_->first_index() || first + message.count - 1 > log_->last_index())) {
    return false;
  }
  for (std::uint32_t i = 0; i < message.count; ++i) {
    const auto entry = log_->recent(first + i);
    if (!entry) break;
    entries.push_back(*entry);
  }
  if (entries.size() == message.count) {
    into.bytes = encode_entries(message, header(), settings_.core.address, std::move(entries));
    return true;
  }
  for (std::uint32_t i = 0; i < message.count; ++i)
    into.places.push_back(log_->place(first + i));
  // One that is not written yet has no file that could be read.
  return std::ranges::all_of(
      into.places, [](const auto& place) { return place.segment->file != nullptr; });
}

void Node::carry_out(Send& action, Effects&) {
  Outgoing out{action.id, std::move(action.server), std::move(action.address), {}, {}, {}};
  if (const auto* entries = std::get_if<Replicate>(&action.message)) {
    if (!gather(*entries, out)) out.places.clear();
  } else if (!std::holds_alternative<SendSnapshot>(action.message)) {
    out.bytes = encode(action.message, header(), settings_.core.address);
  }
  out.message = std::move(action.message);
  outgoing_.push_back(std::move(out));
}

void Node::carry_out(CallDone& action, Effects& effects) {
  auto& finished = effects.finished;
  const auto* call = calls_.find(action.call);
  if (call == nullptr) return; // its time was over
  const auto end = [&](sy_status status, const char* text) {
    calls_.finish(action.call, status, 0, text, finished);
  };
  switch (action.outcome) {
  case Outcome::Committed:
    if (std::holds_alternative<ServerChange>(call->what) ||
        std::holds_alternative<Call::Transfer>(call->what) ||
        (machine_placed_ && action.index <= applied_)) {
      return calls_.finish(action.call, SY_OK, action.index, {}, finished);
    }
    calls_.await(action.call, action.index);
    return;
  case Outcome::NotLeader:
    if (!disk_error_.empty()) return end(SY_INTERNAL, disk_error_.c_str());
    return end(
        SY_RAFT_NOT_LEADER,
        leader_.address.empty()
            ? "this server does not lead, and no leader is known"
            : ("this server does not lead; " + leader_.address + " does").c_str());
  case Outcome::Transferring:
    return end(SY_RAFT_TRANSFERRING, "leadership is being handed over; try again soon");
  case Outcome::Busy: return end(SY_LIMIT, "too many calls wait for the cluster");
  case Outcome::Refused:
    return end(SY_INVALID, "no such voter, or the change leaves no valid configuration");
  case Outcome::LeadershipLost:
    return end(
        SY_RAFT_UNKNOWN, "leadership was lost before it was certain; it may or may not happen");
  case Outcome::TimedOut: return end(SY_TIMED_OUT, "the other server did not take over");
  }
}

void Node::carry_out(LeaderChanged& action, Effects& effects) {
  const bool led = leader_.role == Role::Leader;
  const bool leads = action.role == Role::Leader;
  if (led != leads) metrics_.leader.add(leads ? 1 : -1);
  if (leads && !led) metrics_.elections.add();
  leader_ = action;
  leadership_ = std::move(action);
  effects.wakes_machine = true;
}

void Node::carry_out(Violation& action, Effects& effects) {
  metrics_.violations.add();
  effects.violations.push_back(std::move(action.text));
}

} // namespace switchyard::raft

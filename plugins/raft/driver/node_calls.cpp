// What applications ask for.
#include <switchyard/bytes.hpp>

#include <plugins/raft/driver/node.hpp>

#include <boost/assert.hpp>

namespace switchyard::raft {

sy_status Node::call(Call call) {
  return add_call(std::move(call), false);
}

sy_status Node::add_call(Call call, bool own) {
  {
    const std::lock_guard lock{mutex_};
    if (closed() || (refusing_ && !own)) return SY_CANCELLED;
    const auto id = calls_.add(std::move(call));
    if (!id) return SY_LIMIT;
    new_calls_.push_back(*id);
    if (std::exchange(home_posted_, true)) return SY_OK;
  }
  post_home();
  return SY_OK;
}

void Node::start_call(CallId id, Time time, Effects& effects) {
  auto* call = calls_.find(id);
  if (call == nullptr) return;
  if (const auto* propose = std::get_if<Call::Propose>(&call->what)) {
    metrics_.proposals.add();
    // The core's actions point into the command, which stays until the call has ended: after them.
    core_->propose(id, propose->data, propose->extensions, time);
  } else if (std::holds_alternative<Call::Barrier>(call->what)) {
    core_->barrier(id, time);
  } else if (std::holds_alternative<Call::Verify>(call->what)) {
    core_->verify(id, time);
  } else if (const auto* change = std::get_if<ServerChange>(&call->what)) {
    const auto& members = core_->configurations();
    if (core_->role() == Role::Leader &&
        (members.latest_index() > core_->commit_index() ||
         (change->previous_index != 0 && change->previous_index != members.latest_index()))) {
      return calls_.finish(
          id,
          SY_RAFT_NOT_NOW,
          0,
          "the servers have changed meanwhile, or an earlier change is not committed yet",
          effects.finished);
    }
    core_->change(id, *change, time);
  } else if (const auto* transfer = std::get_if<Call::Transfer>(&call->what)) {
    core_->transfer(id, transfer->server, time);
  } else if (!machine_) {
    calls_.finish(
        id,
        SY_AGAIN,
        0,
        "no state machine is registered whose state could be taken",
        effects.finished);
  } else {
    snapshot_calls_.push_back(id);
    machine_work_.notify_one();
  }
}

void Node::durable(std::uint64_t index) {
  Effects effects;
  {
    const std::lock_guard lock{mutex_};
    machine_durable_ = std::max(machine_durable_, index);
    if (closed()) return;
    announce_saved(effects);
    act(effects);
  }
  after_turn(effects);
}

sy_status Node::state(sy_raft_tell tell, void* context) {
  sy_raft_state state{};
  raftwire::Configuration members;
  LeaderChanged leader;
  {
    const std::lock_guard lock{mutex_};
    if (!core_) return SY_AGAIN;
    members = core_->configurations().latest();
    leader = leader_;
    state.role = static_cast<sy_raft_role>(core_->role());
    state.term = core_->term();
    state.last_index = core_->log().last_index();
    state.first_index = log_->first_index();
    state.commit_index = core_->commit_index();
    state.applied_index = applied_;
    state.snapshot_index = snapshot_ ? snapshot_->meta().index : 0;
    state.configuration_index = core_->configurations().latest_index();
    state.configuration_committed = state.configuration_index <= state.commit_index ? 1 : 0;
    state.machine = machine_ && machine_placed_ ? 1 : 0;
  }
  std::vector<sy_raft_server> servers;
  for (const auto& server : members.servers) {
    servers.push_back({to_c(server.id), to_c(server.address), server.voter() ? 1U : 0U, 0});
  }
  if (leader.id.empty()) { // old nodes give their address only
    for (const auto& server : members.servers) {
      if (server.address == leader.address) leader.id = server.id;
    }
  }
  state.struct_size = sizeof state;
  state.id = to_c(settings_.core.id);
  state.address = to_c(settings_.core.address);
  state.leader_id = to_c(leader.id);
  state.leader_address = to_c(leader.address);
  state.servers = servers.data();
  state.server_count = servers.size();
  tell(context, &state);
  return SY_OK;
}

/// Within its time: the transfer has an end of its own, that of an election.
void Node::leave(std::function<void()> then) {
  struct Leaving {
    std::function<void()> then;
  };

  auto leaving = std::make_unique<Leaving>(Leaving{then});
  Call transfer{
      Call::Transfer{},
      now() + 4 * settings_.core.election_timeout,
      [](void* context, sy_status, std::uint64_t, sy_bytes, const sy_error*) {
        const std::unique_ptr<Leaving> self{static_cast<Leaving*>(context)};
        self->then();
      },
      leaving.get()};
  if (add_call(std::move(transfer), true) == SY_OK) {
    static_cast<void>(leaving.release());
  } else {
    then();
  }
}

} // namespace switchyard::raft

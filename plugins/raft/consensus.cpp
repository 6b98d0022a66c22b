#include <plugins/raft/consensus.hpp>
#include <plugins/raft/instance.hpp>

namespace switchyard::raft {
namespace {

constexpr std::uint64_t kTimeoutMax = 86'400'000'000'000; // a day

sy_instance& instance(void* provider) {
  return *static_cast<sy_instance*>(provider);
}

std::string text(sy_bytes bytes) {
  return {static_cast<const char*>(bytes.data), bytes.size};
}

template <class What>
sy_status
call(void* provider, What what, std::uint64_t timeout, sy_raft_done done, void* context) noexcept {
  if (timeout == 0 || timeout > kTimeoutMax || done == nullptr) return SY_INVALID;
  return at_boundary([&] {
    auto& node = instance(provider).node();
    return node.call({std::move(what), node.now() + Duration{timeout}, done, context});
  });
}

sy_status bind(
    void* provider,
    sy_registration* registration,
    sy_string key,
    const void* entry,
    size_t entry_size,
    sy_error* error) {
  return at_boundary(error, [&] {
    const auto& machine = *static_cast<const sy_raft_machine*>(entry);
    if (entry_size < sizeof machine || machine.struct_size < sizeof machine) {
      throw Failure{SY_INVALID, "the entry is no sy_raft_machine of this ABI"};
    }
    if (view(key) != "machine")
      throw Failure{SY_INVALID, "a state machine is registered as \"machine\""};
    if (machine.apply == nullptr || machine.capture == nullptr || machine.write == nullptr ||
        machine.release == nullptr || machine.restore == nullptr || machine.restored == nullptr) {
      throw Failure{SY_INVALID, "a state machine without all of its functions"};
    }
    auto& self = instance(provider);
    self.node().bind(std::make_shared<Machine>(self.journal(), registration, machine));
  });
}

void unbind(void* provider, sy_registration* registration) {
  instance(provider).node().unbind(registration);
}

sy_status propose(
    void* provider,
    sy_bytes data,
    sy_bytes extensions,
    uint64_t timeout,
    sy_raft_done done,
    void* context) {
  const auto most = instance(provider).node().settings().entry_bytes_max;
  if (data.size > most || extensions.size > most - data.size) return SY_LIMIT;
  return call(provider, Call::Propose{text(data), text(extensions)}, timeout, done, context);
}

sy_status barrier(void* provider, uint64_t timeout, sy_raft_done done, void* context) {
  return call(provider, Call::Barrier{}, timeout, done, context);
}

sy_status verify(void* provider, uint64_t timeout, sy_raft_done done, void* context) {
  return call(provider, Call::Verify{}, timeout, done, context);
}

sy_status change(
    void* provider,
    const sy_raft_change* change,
    uint64_t timeout,
    sy_raft_done done,
    void* context) {
  if (!SY_HAS(change, sy_raft_change, previous_index) || change->kind > SY_RAFT_REMOVE ||
      change->id.size == 0) {
    return SY_INVALID;
  }
  const bool adds = change->kind == SY_RAFT_ADD_VOTER || change->kind == SY_RAFT_ADD_NONVOTER;
  if (adds && change->address.size == 0) return SY_INVALID;
  return call(
      provider,
      ServerChange{
          static_cast<ServerChange::Kind>(change->kind),
          std::string{view(change->id)},
          std::string{view(change->address)},
          change->previous_index},
      timeout,
      done,
      context);
}

sy_status
transfer(void* provider, sy_string server, uint64_t timeout, sy_raft_done done, void* context) {
  return call(provider, Call::Transfer{std::string{view(server)}}, timeout, done, context);
}

sy_status snapshot(void* provider, uint64_t timeout, sy_raft_done done, void* context) {
  return call(provider, Call::Snapshot{}, timeout, done, context);
}

void durable(void* provider, uint64_t index) {
  auto& self = instance(provider);
  logged_at_boundary(self.host(), [&] { self.node().durable(index); });
}

sy_status state(void* provider, sy_raft_tell tell, void* context) {
  return at_boundary([&] { return instance(provider).node().state(tell, context); });
}

sy_status bootstrap(void* provider, const sy_raft_server* servers, size_t count, sy_error* error) {
  return at_boundary(error, [&] {
    raftwire::Configuration founders;
    for (std::size_t i = 0; i < count; ++i) {
      founders.servers.push_back(
          {servers[i].voter != 0 ? raftwire::Suffrage::Voter : raftwire::Suffrage::Nonvoter,
           std::string{view(servers[i].id)},
           std::string{view(servers[i].address)}});
    }
    auto& node = instance(provider).node();
    const auto& own = node.settings().core;
    const auto* self = founders.find(own.id);
    if (!founders.valid() || self == nullptr || self->address != own.address) {
      throw Failure{
          SY_INVALID,
          "the first servers need names and addresses of their own, one of them a vote, and this "
          "server among them as " +
              own.id + " at " + own.address};
    }
    node.bootstrap(founders);
  });
}

sy_status recover(void* provider, sy_error* error) {
  return at_boundary(error, [&] { instance(provider).node().recover(); });
}

constexpr sy_raft_consensus kConsensus = {
    .registrar =
        {.struct_size = sizeof(sy_raft_consensus),
         .reserved = 0,
         .bind = bind,
         .unbind = unbind,
         .exchange = nullptr,
         .end_soon = nullptr},
    .propose = propose,
    .barrier = barrier,
    .verify = verify,
    .change = change,
    .transfer = transfer,
    .snapshot = snapshot,
    .durable = durable,
    .state = state,
    .bootstrap = bootstrap,
    .recover = recover};

} // namespace

const sy_raft_consensus& consensus_table() noexcept {
  return kConsensus;
}

} // namespace switchyard::raft

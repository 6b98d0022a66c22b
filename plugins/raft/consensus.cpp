#include <switchyard/registrar.hpp>

#include <plugins/raft/consensus.hpp>
#include <plugins/raft/instance.hpp>

namespace switchyard::raft {
namespace {

constexpr std::uint64_t kTimeoutMax = 86'400'000'000'000; // a day

Node& node_of(void* provider) {
  return Plugin<Instance>::of(provider).node();
}

std::string text(sy_bytes bytes) {
  return {static_cast<const char*>(bytes.data), bytes.size};
}

template <class What>
sy_status
call(void* provider, What what, std::uint64_t timeout, sy_raft_done done, void* context) noexcept {
  if (timeout == 0 || timeout > kTimeoutMax || done == nullptr) return SY_INVALID;
  return at_boundary([&] {
    auto& node = node_of(provider);
    return node.call({std::move(what), node.now() + Duration{timeout}, done, context});
  });
}

sy_status propose(
    void* provider,
    sy_bytes data,
    sy_bytes extensions,
    uint64_t timeout,
    sy_raft_done done,
    void* context) {
  const auto most = node_of(provider).settings().entry_bytes_max;
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
  logged_at_boundary(
      Plugin<Instance>::host_of(provider), [&] { node_of(provider).durable(index); });
}

sy_status state(void* provider, sy_raft_tell tell, void* context) {
  return at_boundary([&] { return node_of(provider).state(tell, context); });
}

sy_status bootstrap(
    void* provider, const sy_raft_server* servers, size_t count, sy_raft_done done, void* context) {
  if (done == nullptr) return SY_INVALID;
  return at_boundary([&] {
    raftwire::Configuration founders;
    for (std::size_t i = 0; i < count; ++i) {
      founders.servers.push_back(
          {servers[i].voter != 0 ? raftwire::Suffrage::Voter : raftwire::Suffrage::Nonvoter,
           std::string{view(servers[i].id)},
           std::string{view(servers[i].address)}});
    }
    return Plugin<Instance>::of(provider).begin_anew(
        [founders = std::move(founders)](Node& node) { node.bootstrap(founders); }, done, context);
  });
}

sy_status recover(void* provider, sy_raft_done done, void* context) {
  if (done == nullptr) return SY_INVALID;
  return at_boundary([&] {
    return Plugin<Instance>::of(provider).begin_anew(
        [](Node& node) { node.recover(); }, done, context);
  });
}

constexpr sy_raft_consensus kConsensus = {
    .registrar = Registrar<Instance>::describe(sizeof(sy_raft_consensus)),
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

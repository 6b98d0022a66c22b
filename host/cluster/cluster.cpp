#include <switchyard/bytes.hpp>
#include <switchyard/failure.hpp>
#include <switchyard/raft/consensus.h>

#include <host/cluster/cluster.hpp>

#include <boost/json/array.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace switchyard::host {

namespace json = boost::json;

namespace {

/// What a call into the cluster may take; the command line waits for half a minute.
constexpr std::uint64_t kCallLimit = 20'000'000'000; // ns

json::object failure(std::string_view sentence) {
  return {{"error", sentence}};
}

std::string text(const json::object& request, std::string_view key) {
  const auto* value = request.if_contains(key);
  return value != nullptr && value->is_string() ? std::string{value->get_string()} : std::string{};
}

/// The right to call the provider, for one request.
class Provider {
public:
  explicit Provider(sy_interface* handle) : held_{Interfaces::acquire(handle, &lease_) == SY_OK} {}

  ~Provider() {
    if (held_) Interfaces::release(&lease_);
  }

  Provider(const Provider&) = delete;
  Provider& operator=(const Provider&) = delete;

  explicit operator bool() const noexcept { return held_; }

  const sy_raft_consensus* operator->() const noexcept {
    return static_cast<const sy_raft_consensus*>(lease_.table);
  }

  [[nodiscard]] void* get() const noexcept { return lease_.provider; }

private:
  sy_lease lease_{};
  const bool held_;
};

const char* role_name(sy_raft_role role) {
  constexpr const char* kNames[] = {"follower", "candidate", "leader"};
  return role <= SY_RAFT_LEADER ? kNames[role] : "unknown";
}

json::object describe(const sy_raft_state& state) {
  json::array servers;
  for (std::size_t at = 0; at < state.server_count; ++at) {
    const auto& server = state.servers[at];
    servers.push_back(json::object{
        {"id", view(server.id)},
        {"address", view(server.address)},
        {"voter", server.voter != 0},
        {"leader",
         state.leader_address.size != 0 && view(server.address) == view(state.leader_address)}});
  }
  return {
      {"id", view(state.id)},
      {"address", view(state.address)},
      {"role", role_name(state.role)},
      {"term", state.term},
      {"leader", {{"id", view(state.leader_id)}, {"address", view(state.leader_address)}}},
      {"servers", std::move(servers)},
      {"configuration",
       {{"index", state.configuration_index}, {"committed", state.configuration_committed != 0}}},
      {"log",
       {{"first", state.first_index},
        {"last", state.last_index},
        {"committed", state.commit_index},
        {"applied", state.applied_index},
        {"snapshot", state.snapshot_index}}},
      {"state_machine", state.machine != 0}};
}

ControlReply peers(const Provider& raft) {
  json::object answer;
  const auto status = raft->state(
      raft.get(),
      [](void* into, const sy_raft_state* state) {
        *static_cast<json::object*>(into) = describe(*state);
      },
      &answer);
  if (status != SY_OK) return failure("raft does not serve yet");
  return answer;
}

/// A call that is under way.
struct Waiting {
  ControlReply reply;
  Cluster::Post post;
  bool tells_index; ///< of what it has put into the log

  static void
  done(void* context, sy_status status, std::uint64_t index, sy_bytes, const sy_error* error) {
    const std::unique_ptr<Waiting> self{static_cast<Waiting*>(context)};
    auto answer = self->tells_index ? json::object{{"index", index}} : json::object{{"ok", true}};
    if (status != SY_OK) answer = failure(static_cast<const char*>(error->text));
    self->post([reply = self->reply, answer = std::move(answer)]() mutable {
      reply.end(std::move(answer));
    });
  }
};

template <class Begin>
ControlReply call(const Cluster::Post& post, Begin begin, bool tells_index = true) {
  auto waiting = std::make_unique<Waiting>(Waiting{ControlReply{}, post, tells_index});
  const ControlReply reply = waiting->reply;
  const sy_status status = begin(&Waiting::done, waiting.get());
  if (status == SY_OK) {
    static_cast<void>(waiting.release());
    return reply;
  }
  return failure(
      status == SY_INVALID
          ? "the cluster takes no such change"
          : "raft takes no call now: it is starting or stopping, or too many wait");
}

ControlReply
bootstrap(const Cluster::Post& post, const Provider& raft, const json::object& request) {
  struct Founder {
    std::string id;
    std::string address;
  };

  std::vector<Founder> founders;
  if (const auto* list = request.if_contains("servers"); list != nullptr && list->is_array()) {
    for (const auto& one : list->get_array()) {
      if (const auto* server = one.if_object()) {
        founders.push_back({text(*server, "id"), text(*server, "address")});
      }
    }
  }
  if (founders.empty()) { // this server alone
    const auto status = raft->state(
        raft.get(),
        [](void* into, const sy_raft_state* state) {
          *static_cast<std::vector<Founder>*>(into) = {
              {std::string{view(state->id)}, std::string{view(state->address)}}};
        },
        &founders);
    if (status != SY_OK) return failure("raft does not serve yet");
  }
  std::vector<sy_raft_server> servers;
  for (const auto& founder : founders)
    servers.push_back({to_c(founder.id), to_c(founder.address), 1, 0});
  const auto begin = [&](sy_raft_done done, void* context) {
    return raft->bootstrap(raft.get(), servers.data(), servers.size(), done, context);
  };
  return call(post, begin, false);
}

} // namespace

Cluster::Cluster(Interfaces& interfaces, Post post)
    : post_{std::move(post)}, raft_{interfaces.open(this, "switchyard", SY_RAFT_CONSENSUS)} {}

Cluster::~Cluster() {
  Interfaces::close(raft_);
}

ControlReply Cluster::answer(std::string_view what, const json::object& request) {
  const Provider raft{raft_};
  if (!raft) {
    return failure("no plugin of this server keeps a cluster; enable [plugin.raft] in the "
                   "configuration");
  }
  const auto id = text(request, "id");
  if (what == "peers") return peers(raft);
  if (what == "add" || what == "remove") {
    const auto address = text(request, "address");
    const auto* voter = request.if_contains("voter");
    sy_raft_change change{sizeof change, SY_RAFT_REMOVE, to_c(id), to_c(address), 0};
    if (what == "add") {
      const bool votes = voter == nullptr || *voter != false;
      change.kind = votes ? SY_RAFT_ADD_VOTER : SY_RAFT_ADD_NONVOTER;
    }
    return call(post_, [&](sy_raft_done done, void* context) {
      return raft->change(raft.get(), &change, kCallLimit, done, context);
    });
  }
  if (what == "transfer") {
    return call(post_, [&](sy_raft_done done, void* context) {
      return raft->transfer(raft.get(), to_c(id), kCallLimit, done, context);
    });
  }
  if (what == "snapshot") {
    return call(post_, [&](sy_raft_done done, void* context) {
      return raft->snapshot(raft.get(), kCallLimit, done, context);
    });
  }
  if (what == "bootstrap") return bootstrap(post_, raft, request);
  if (what == "recover") {
    const auto begin = [&](sy_raft_done done, void* context) {
      return raft->recover(raft.get(), done, context);
    };
    return call(post_, begin, false);
  }
  return failure("this server does not know the command 'cluster." + std::string{what} + "'");
}

} // namespace switchyard::host

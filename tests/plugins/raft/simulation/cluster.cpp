#include "cluster.hpp"

#include <algorithm>

namespace switchyard::raft::simulation {
namespace {

constexpr Nanoseconds kElection = 100 * kMillisecond;
constexpr Nanoseconds kQuiet = 20 * kElection;
constexpr int kQuietMax = 10;

struct Call {
  enum class Kind : std::uint8_t { Propose, Barrier, Read, Change, Transfer };

  Kind kind = Kind::Propose;
  std::string data{};
  std::uint64_t read_at_least = 0;
};

class Cluster {
public:
  explicit Cluster(std::uint64_t seed) : world_{seed}, network_{world_} {}

  Outcomes run() {
    try {
      set_up();
      for (auto& node : nodes_)
        node->start();
      disturb();
      call();
      world_.run_until(world_.chance.between(1500, 3500) * kMillisecond);
      calm();
    } catch (const std::exception& thrown) {
      outcomes_.violation = thrown.what();
    }
    outcomes_.trace = world_.trace();
    outcomes_.committed = world_.checker.committed_index();
    return outcomes_;
  }

private:
  Chance& chance() { return world_.chance; }

  Node& any() { return *nodes_[chance().below(nodes_.size())]; }

  void set_up() {
    auto& c = world_.chance;
    const std::size_t voters = std::array{3, 3, 5, 5, 7}[c.below(5)];
    const auto spares = c.below(3);
    bold_ = c.of(0.25);
    fault_gap_ = (c.of(0.5) ? c.between(20, 100) : c.between(100, 400)) * kMillisecond;
    call_gap_ = c.between(1, 10) * kMillisecond;
    network_.weather.latency_max = c.between(100, 8000) * kMicrosecond;
    if (c.of(0.4)) network_.weather.late = 0.02 * static_cast<double>(1 + c.below(6));
    if (c.of(0.7)) {
      network_.weather.cut = 0.02 * static_cast<double>(c.below(4));
      network_.weather.cut_back = 0.02 * static_cast<double>(c.below(4));
      network_.weather.again = 0.02 * static_cast<double>(c.below(4));
    }

    raftwire::Configuration members;
    NodeSettings common;
    common.core.heartbeat_timeout = common.core.election_timeout =
        std::chrono::nanoseconds{kElection};
    common.core.lease_timeout = std::chrono::nanoseconds{c.of(0.5) ? kElection : kElection / 2};
    common.core.commit_timeout = std::chrono::milliseconds{10};
    common.core.entries_max = static_cast<std::uint32_t>(1 + c.below(c.of(0.5) ? 3 : 64));
    common.core.entry_bytes_max = 256 << c.below(8);
    common.core.pipeline_max = static_cast<std::uint32_t>(1 + c.below(16));
    common.core.trailing_entries = c.below(20);
    common.core.pre_vote = c.of(0.6);
    common.log.segment_bytes = 1024 << c.below(5);
    common.log.recent_bytes = common.log.segment_bytes % 3 * 2048; // none, or two sizes
    common.snapshot_threshold = c.of(0.3) ? 1'000'000 : 5 + c.below(40);
    common.plain_commit_index = common.low_hints = bold_;
    for (NodeId id = 1; id <= voters + spares; ++id) {
      auto own = common;
      own.clock_rate = 0.9 + 0.2 * static_cast<double>(c.below(1000)) / 1000;
      if (c.of(0.2)) own.write_max = 40 * kMillisecond;
      if (c.of(0.2)) own.apply_max = 100 * kMillisecond;
      if (c.of(0.2)) own.core.header_form = raftwire::HeaderForm::Old;
      nodes_.push_back(std::make_unique<Node>(
          world_, network_, id, own, [this](const CallDone& done) { finished(done); }));
      const auto& self = nodes_.back()->settings.core;
      if (id <= voters) {
        members.servers.push_back({raftwire::Suffrage::Voter, self.id, self.address});
      }
    }
    for (std::size_t i = 0; i < voters; ++i)
      nodes_[i]->found(members);
  }

  // Faults.

  void disturb() {
    world_.after(chance().between(0, 2 * fault_gap_), [this] {
      if (calm_) return;
      fault();
      disturb();
    });
  }

  void fault() {
    switch (chance().below(17)) {
    case 0:
    case 1: return crash(any(), Node::Crash::Power);
    case 2: return crash(any(), Node::Crash::Process);
    case 3: return crash_all();
    case 4: return partition();
    case 5: return block_some();
    case 6:
    case 7:
    case 8: return network_.unblock();
    case 9: return pause(any());
    case 13: return pause(leader());
    case 14: return any().replace();
    case 15: return leader().replace();
    case 10: return break_disk(any());
    case 11:
    case 12: return isolate(leader());
    default: return crash(leader(), Node::Crash::Power);
    }
  }

  void crash(Node& node, Node::Crash how) {
    if (!node.up()) return;
    node.crash(how);
    world_.after(chance().between(kMillisecond, 3 * kElection), [this, &node] { restart(node); });
  }

  void restart(Node& node) {
    if (!node.up()) node.start();
  }

  void pause(Node& node) { node.pause(chance().between(kElection / 4, 5 * kElection)); }

  void crash_all() {
    for (auto& node : nodes_)
      crash(*node, Node::Crash::Power);
  }

  void break_disk(Node& node) {
    if (!node.up()) return;
    node.break_disk(chance().below(20));
    world_.after(chance().between(kElection, 4 * kElection), [this, &node] {
      crash(node, Node::Crash::Power);
    });
  }

  void partition() {
    const auto sides = chance()();
    for (auto& from : nodes_) {
      for (auto& to : nodes_) {
        if ((sides >> from->id() & 1) != (sides >> to->id() & 1)) {
          network_.block(from->id(), to->id());
        }
      }
    }
  }

  void block_some() {
    for (int i = 0; i < 3; ++i)
      network_.block(any().id(), any().id());
  }

  void isolate(Node& node) {
    for (auto& other : nodes_) {
      if (other.get() == &node) continue;
      network_.block(node.id(), other->id());
      network_.block(other->id(), node.id());
    }
  }

  /// One that believes to lead, perhaps wrongly; any, if there is none.
  Node& leader() {
    std::vector<Node*> leaders;
    for (auto& node : nodes_) {
      if (node->up() && node->core().role() == Role::Leader) leaders.push_back(node.get());
    }
    return leaders.empty() ? any() : *leaders[chance().below(leaders.size())];
  }

  // Work.

  void call() {
    world_.after(chance().between(0, 2 * call_gap_), [this] {
      if (calm_) return;
      auto& node = chance().of(0.8) ? leader() : any();
      if (node.up()) make_call(node);
      call();
    });
  }

  void make_call(Node& node) {
    const auto id = ++last_call_;
    switch (chance().below(24)) {
    case 0: {
      calls_[id] = {Call::Kind::Barrier};
      return node.on_core([id](Core& core, Time now) { core.barrier(id, now); });
    }
    case 1:
    case 2:
    case 3:
    case 4: {
      calls_[id] = {Call::Kind::Read, {}, world_.checker.acknowledged_index()};
      return node.on_core([id](Core& core, Time now) { core.verify(id, now); });
    }
    case 5:
    case 6: return change_servers(node, id);
    case 7: {
      calls_[id] = {Call::Kind::Transfer};
      const auto to = chance().of(0.5) ? any().name() : std::string{};
      return node.on_core([id, to](Core& core, Time now) { core.transfer(id, to, now); });
    }
    default: return propose(node, id);
    }
  }

  void propose(Node& node, CallId id) {
    auto data = "call " + std::to_string(id) + std::string(chance().below(300), '.');
    calls_[id] = {Call::Kind::Propose, data};
    node.on_core([id, data](Core& core, Time now) { core.propose(id, data, {}, now); });
  }

  void change_servers(Node& node, CallId id) {
    calls_[id] = {Call::Kind::Change};
    const auto& which = any().settings.core;
    const auto kind = static_cast<ServerChange::Kind>(chance().below(4));
    const ServerChange change{kind, which.id, which.address};
    node.on_core([id, change](Core& core, Time now) { core.change(id, change, now); });
  }

  void finished(const CallDone& done) {
    const auto found = calls_.extract(done.call);
    if (found.empty()) throw Violated{"a call has ended twice"};
    if (done.outcome != Outcome::Committed) return;
    const auto& call = found.mapped();
    switch (call.kind) {
    case Call::Kind::Propose:
      world_.checker.acknowledged(done.index, call.data);
      ++outcomes_.acknowledged;
      break;
    case Call::Kind::Read:
      if (done.index < call.read_at_least) throw Violated{"a stale read"};
      ++outcomes_.reads;
      break;
    case Call::Kind::Change: ++outcomes_.changes; break;
    case Call::Kind::Transfer: ++outcomes_.transfers; break;
    case Call::Kind::Barrier: break;
    }
  }

  // The end.

  void calm() {
    calm_ = true;
    network_.unblock();
    network_.weather = {};
    for (auto& node : nodes_) {
      node->settings.write_max = node->settings.apply_max = 2 * kMillisecond;
      if (node->up()) node->crash(Node::Crash::Process);
      node->start();
    }
    world_.run_until(world_.now() + kQuiet);
    // Elections are a matter of chance. Where few can win and others burn their votes, they take a
    // few more.
    for (int quiet = 1; quiet < kQuietMax && electable() && !anyone_leads(); ++quiet)
      world_.run_until(world_.now() + kQuiet);

    if (!electable()) {
      outcomes_.stuck = true;
      return;
    }
    // It may have been elected a moment ago, and its followers far behind.
    if (anything_open(only_leader())) world_.run_until(world_.now() + kQuiet);
    auto& leads = only_leader();
    // Its own first entry has committed all before it.
    if (anything_open(leads)) {
      throw Violated{"entries left open in peace: " + about_all()};
    }
    const auto before = world_.checker.acknowledged_index();
    propose(leads, ++last_call_);
    world_.run_until(world_.now() + kElection);
    if (world_.checker.acknowledged_index() <= before) throw Violated{"a write in peace is lost"};
    world_.run_until(world_.now() + kElection);

    const auto& core = leads.core();
    outcomes_.elections = core.term();
    for (const auto& server : core.configurations().latest().servers) {
      const auto& node = *nodes_.at(std::stoul(server.id.substr(1)) - 1);
      const bool same = node.core().log().last_index() == core.log().last_index() &&
                        node.core().log().last_term() == core.log().last_term() &&
                        node.state().index == core.commit_index() &&
                        node.state().chain == leads.state().chain;
      if (server.voter() && !same) throw Violated{server.id + " is not like the others"};
    }
  }

  /// False when the rules of hashicorp/raft leave nobody who could win: it refuses candidates that
  /// its own configuration does not give a vote, even if it is that configuration that is old.
  bool electable() const {
    return std::ranges::any_of(nodes_, [&](const auto& node) {
      const auto& core = node->core();
      if (!core.configurations().may_vote(node->name())) return false;
      const auto& members = core.configurations().latest();
      const auto granting = std::ranges::count_if(members.servers, [&](const auto& server) {
        return server.voter() && would_vote(*nodes_.at(std::stoul(server.id.substr(1)) - 1), *node);
      });
      return static_cast<std::size_t>(granting) >= majority(members);
    });
  }

  static bool would_vote(const Node& voter, const Node& candidate) {
    const auto& members = voter.core().configurations().latest();
    const auto* known = members.find(candidate.name());
    const bool named = candidate.settings.core.header_form == raftwire::HeaderForm::New;
    const bool refuses = named && !members.servers.empty() && !(known && known->voter());
    const auto& own = voter.core().log();
    const auto& other = candidate.core().log();
    return &voter == &candidate ||
           (!refuses && std::pair{own.last_term(), own.last_index()} <=
                            std::pair{other.last_term(), other.last_index()});
  }

  static bool anything_open(const Node& leader) {
    return leader.core().commit_index() != leader.core().log().last_index();
  }

  bool anyone_leads() const {
    return std::ranges::any_of(
        nodes_, [](const auto& node) { return node->core().role() == Role::Leader; });
  }

  Node& only_leader() {
    Node* only = nullptr;
    for (auto& node : nodes_) {
      if (node->core().role() != Role::Leader) continue;
      if (only != nullptr) throw Violated{"two leaders in peace"};
      only = node.get();
    }
    if (only == nullptr) throw Violated{"no leader in peace: " + about_all()};
    return *only;
  }

  /// For whoever reads about a violation.
  std::string about_all() const {
    std::string text;
    for (const auto& node : nodes_) {
      const auto& core = node->core();
      text += node->name() + " role " + std::to_string(static_cast<int>(core.role())) + " term " +
              std::to_string(core.term()) + " log " + std::to_string(core.log().last_term()) + '/' +
              std::to_string(core.log().last_index()) + " commit " +
              std::to_string(core.commit_index()) + " members";
      for (const auto& server : core.configurations().latest().servers) {
        text += (server.voter() ? ' ' : '-') + server.id;
      }
      text += " at " + std::to_string(core.configurations().latest_index()) + "; ";
    }
    return text;
  }

  World world_;
  Network network_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<CallId, Call> calls_;
  CallId last_call_ = 0;
  Nanoseconds fault_gap_ = 0;
  Nanoseconds call_gap_ = 0;
  bool bold_ = false;
  bool calm_ = false;
  Outcomes outcomes_;
};

} // namespace

Outcomes simulate(std::uint64_t seed) {
  return Cluster{seed}.run();
}

} // namespace switchyard::raft::simulation

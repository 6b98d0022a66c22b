#include <plugins/raft/consensus.hpp>
#include <plugins/raft/instance.hpp>

namespace switchyard::raft {
namespace {

// How long stop() waits for the loops; the host waits for 10 s.
constexpr std::chrono::seconds kLoopsLimit{8};

bool has_line(std::string_view lines, std::string_view wanted) {
  while (!lines.empty()) {
    const auto end = lines.find('\n');
    if (lines.substr(0, end) == wanted) return true;
    if (end == std::string_view::npos) return false;
    lines.remove_prefix(end + 1);
  }
  return false;
}

} // namespace

Instance::Instance(Host host, std::string_view config)
    : host_{host},
      loops_{host_},
      journal_{host_.require<sy_journal>()},
      config_{parse_config(config)},
      metrics_{host_},
      outbounds_{host_, config_, metrics_},
      node_{host_, metrics_, config_.node, outbounds_},
      inbounds_(loops_.count()) {
  outbounds_.node = &node_;
}

Instance::~Instance() = default;

void Instance::check_config(std::string_view config) {
  static_cast<void>(parse_config(config));
}

void Instance::activate() {
  open();
  node_.begin(config_.founders);
  renewals_.start(host_, "raft-renewal");
}

void Instance::open() {
  quiet_ = false;
  static_cast<void>(loops_.post(Node::kHome, [this] { outbounds_.reopen(); }));
}

sy_status Instance::begin_anew(std::function<void(Node&)> work, sy_raft_done done, void* context) {
  if (quiet_ || draining_) return SY_CANCELLED;
  if (renewing_.exchange(true)) return SY_LIMIT;
  const auto renewal = std::make_shared<Renewal>(std::move(work), done, context);
  const bool posted = renewals_.post([this, renewal] {
    renewal->run(node_);
    renewing_ = false;
  });
  if (posted) return SY_OK;
  renewal->forget();
  return SY_CANCELLED;
}

/// The lock of the directory is handed over as it is, so that nobody else gets it in between.
void Instance::quiesce(const StateSink& sink) {
  renewals_.end();
  renewing_ = false;
  try {
    node_.step_aside();
    const auto handed = node_.quiet();
    quiet_ = true;
    close_connections();
    pass_loops();
    sink.write(std::as_bytes(std::span<const char>{encode(handed)}));
    sink.add_descriptor(node_.lock());
  } catch (const std::exception&) {
    node_.hush();
    close_connections();
    quiet_ = false;
    static_cast<void>(loops_.post(Node::kHome, [this] {
      outbounds_.reopen();
      node_.go_on();
    }));
    renewals_.start(host_, "raft-renewal");
    throw;
  }
  node_.let_go();
}

void Instance::take_over(const State& state) {
  if (state.version != HandOver::kFormat || state.descriptors.size() != 1) {
    throw Failure{SY_INVALID, "what was handed over is not of another version of raft"};
  }
  const auto handed = decode_hand_over(state.data);
  open();
  node_.take_over(handed, state.descriptors[0]);
  renewals_.start(host_, "raft-renewal");
}

/// With TLS only a server of this datacenter may speak: any certificate of the CA, an agent's too,
/// would else do to vote and to write. Source: CVE-2021-37219.
sy_status Instance::serve(std::uint32_t, Connection& offered) {
  if (draining_ || quiet_) return SY_CANCELLED;
  sy_connection_info info{};
  if (const auto error = offered.describe(info)) return error.value();
  if (info.tls != 0 && !has_line(view(info.peer_names), config_.server_name)) {
    metrics_.refused.add();
    host_.log(
        SY_LOG_WARN,
        "refused a peer that shows no certificate of a server: wanted=" + config_.server_name +
            " remote=" + static_cast<const char*>(info.remote));
    return SY_REFUSED;
  }
  std::make_shared<Inbound>(node_, loops_, config_, std::move(offered), inbounds_[loops_.current()])
      ->start();
  return SY_OK;
}

void Instance::health() {
  node_.health();
}

void Instance::drain(std::chrono::nanoseconds, DrainDone done) {
  if (draining_.exchange(true)) return done();
  node_.leave([this, done] {
    close_connections();
    done();
  });
}

void Instance::abort_all() {
  draining_ = true;
  close_connections();
}

void Instance::close_connections() {
  for (std::uint32_t loop = 0; loop < loops_.count(); ++loop) {
    static_cast<void>(loops_.post(loop, [this, loop] {
      for (const auto& inbound : Inbound::Set{inbounds_[loop].open})
        inbound->end(SY_CLOSE_DRAINED);
      if (loop == Node::kHome) outbounds_.close();
    }));
  }
}

void Instance::stop() {
  draining_ = true;
  close_connections();
  renewals_.end();
  node_.end();
  pass_loops();
}

/// Whatever was posted before has run then.
void Instance::pass_loops() {
  std::unique_lock lock{mutex_};
  to_pass_ = 0;
  for (std::uint32_t loop = 0; loop < loops_.count(); ++loop) {
    const auto posted = loops_.post(loop, [this, loop] {
      if (loop == Node::kHome) node_.stop_timer();
      const std::lock_guard passed{mutex_};
      --to_pass_;
      changed_.notify_all();
    });
    if (!posted) ++to_pass_;
  }
  if (!changed_.wait_for(lock, kLoopsLimit, [this] { return to_pass_ == 0; })) {
    throw Failure{SY_TIMED_OUT, "a loop of the host does not come round"};
  }
}

const void* Instance::query(std::string_view id) {
  return id == SY_RAFT_CONSENSUS ? &consensus_table() : nullptr;
}

void Instance::bind(
    std::string_view key, const sy_raft_machine& machine, sy_registration* registration) {
  node_.bind(made(key, machine, registration));
}

void Instance::unbind(sy_registration* registration) {
  node_.unbind(registration);
}

void Instance::exchange(std::span<sy_registration* const> gone, std::span<const sy_binding> come) {
  std::shared_ptr<const Machine> machine;
  for (const auto& binding : come) {
    if (machine) throw Failure{SY_EXISTS, "there is one state machine in a process"};
    machine = made(
        view(binding.key),
        *static_cast<const sy_raft_machine*>(binding.entry),
        binding.registration);
  }
  node_.exchange(gone, machine);
}

std::shared_ptr<const Machine> Instance::made(
    std::string_view key, const sy_raft_machine& machine, sy_registration* registration) const {
  if (key != "machine") throw Failure{SY_INVALID, "a state machine is registered as \"machine\""};
  if (machine.applied == nullptr || machine.apply == nullptr || machine.capture == nullptr ||
      machine.write == nullptr || machine.release == nullptr || machine.restore == nullptr ||
      machine.restored == nullptr) {
    throw Failure{SY_INVALID, "a state machine without all of its functions"};
  }
  return std::make_shared<Machine>(journal_, registration, machine);
}

} // namespace switchyard::raft

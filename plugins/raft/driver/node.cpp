#include <plugins/raft/driver/node.hpp>

#include <boost/assert.hpp>

#include <algorithm>

namespace switchyard::raft {

Node::Node(const Host& host, const Metrics& metrics, NodeSettings settings, Network& network)
    : host_{host},
      loops_{host},
      metrics_{metrics},
      settings_{std::move(settings)},
      network_{network},
      deliveries_(loops_.count()),
      flush_posted_(loops_.count()),
      calls_{settings_.core.calls_max},
      timer_{loops_, &Node::timer_fired, this} {}

Node::~Node() {
  BOOST_ASSERT(!core_);
}

Time Node::now() const noexcept {
  return Time{loops_.now()};
}

raftwire::Header Node::header() const noexcept {
  return {
      raftwire::kProtocolVersion,
      settings_.core.header_form,
      settings_.core.id,
      settings_.core.address};
}

void Node::begin(const raftwire::Configuration& founders) {
  begin([&] {
    open_directory();
    open_core(0);
    const bool empty = core_->log().last_index() == 0 && core_->ballot() == Ballot{};
    if (!empty || founders.servers.empty()) return;
    core_.reset();
    found(founders);
    log_.reset();
    open_core(0);
  });
  if (std::exchange(led_, false)) campaign(); // it has let go, and nobody could go on
}

template <class Open>
void Node::begin(Open open) {
  {
    const std::lock_guard lock{mutex_};
    const bool locked = lock_.has_value();
    machine_placed_ = false;
    try {
      open();
    } catch (const std::exception&) {
      close();
      if (!locked) lock_.reset();
      throw;
    }
    ending_ = refusing_ = quiet_ = false;
    cancelled_ = false;
    wanted_ = begun_ = 0;
    disk_error_.clear();
    snapshot_tried_ = 0;
    armed_for_ = Time::max();
    home_posted_ = false;
  }
  try {
    files_.start(host_, "raft-files");
    snapshots_.start(host_, "raft-snapshot");
    disk_thread_ = Thread{host_, "raft-disk", [this] { write_disk(); }};
    machine_thread_ = Thread{host_, "raft-machine", [this] { run_machine(); }};
  } catch (const std::exception&) {
    let_go();
    throw;
  }
  wake_home();
}

void Node::end() {
  let_go();
  const std::lock_guard lock{mutex_};
  lock_.reset();
}

void Node::let_go() {
  Effects effects;
  {
    const std::lock_guard lock{mutex_};
    if (!core_) return;
    ending_ = true;
    cancelled_ = true;
    for (auto& [request, receipt] : receipts_)
      receipt->cancelled = true;
    calls_.finish_all(
        SY_CANCELLED,
        quiet_ ? "this version of raft is being replaced; whether it happens after all is unknown"
               : "the server is stopping",
        effects.finished);
    new_calls_.clear();
    snapshot_calls_.clear();
    disk_work_.notify_all();
    machine_work_.notify_all();
  }
  for (const auto& finished : effects.finished)
    finished.tell();
  disk_thread_.join();
  machine_thread_.join();
  snapshots_.end();
  files_.end();
  if (restored_by_) restored_by_->restored(false);

  const std::lock_guard lock{mutex_};
  if (leader_.role == Role::Leader) metrics_.leader.add(-1);
  leader_ = {};
  requests_.clear();
  receipts_.clear();
  to_restore_.clear();
  restored_ = installing_ = 0;
  restored_by_.reset();
  displaced_.clear();
  outdated_snapshot_.clear();
  install_written_ = taking_snapshot_ = false;
  outgoing_.clear();
  for (auto& deliveries : deliveries_)
    deliveries.clear();
  ballot_to_write_.reset();
  unannounced_.reset();
  leadership_.reset();
  close();
}

void Node::close() {
  core_.reset();
  log_.reset();
  ballots_.reset();
  snapshot_.reset();
  disk_.reset();
}

void Node::receive(std::vector<Incoming> requests) {
  metrics_.requests.add(static_cast<double>(requests.size()));
  turn([&](Core& core, Time time, Effects&) {
    for (auto& incoming : requests) {
      const auto id = ++last_request_;
      Origin origin{std::move(incoming.from), incoming.slot};
      if (const auto* snapshot = std::get_if<raftwire::InstallSnapshotRequest>(&incoming.request)) {
        origin.announced.index = snapshot->last_index;
        origin.announced.term = snapshot->last_term;
        const auto bytes = std::as_bytes(
            std::span{snapshot->version == 0 ? snapshot->peers : snapshot->configuration});
        auto members = snapshot->version == 0 ? raftwire::decode_peers(bytes)
                                              : raftwire::decode_configuration(bytes);
        if (members) origin.announced.configuration = std::move(*members);
        origin.announced.configuration_index =
            snapshot->version == 0 ? snapshot->last_index : snapshot->configuration_index;
      }
      requests_.emplace(id, std::move(origin));
      core.receive(id, incoming.request, time);
    }
  });
}

void Node::answered(const std::vector<Outcoming>& answers) {
  turn([&](Core& core, Time time, Effects&) {
    for (const auto& one : answers) {
      if (one.failed) {
        core.failed(one.send, time);
      } else {
        core.answered(one.send, one.answer, one.error, time);
      }
    }
  });
}

void Node::receive_snapshot(std::uint64_t request, Bytes bytes, std::function<void()> then) {
  std::shared_ptr<Receipt> receipt;
  {
    const std::lock_guard lock{mutex_};
    const auto at = receipts_.find(request);
    if (at != receipts_.end()) receipt = at->second;
  }
  files_.post([receipt, data = std::move(bytes), done = std::move(then)] {
    if (receipt && receipt->writer && !receipt->failed && !receipt->cancelled) {
      if (const auto written = receipt->writer->write(data); !written) {
        receipt->failed = written.error();
      }
    }
    done();
  });
}

void Node::end_snapshot(std::uint64_t request, bool whole) {
  files_.post([this, request, whole] {
    std::shared_ptr<Receipt> receipt;
    {
      const std::lock_guard lock{mutex_};
      const auto at = receipts_.find(request);
      if (at == receipts_.end() || closed()) return;
      receipt = at->second;
    }
    std::string error;
    if (receipt->cancelled) {
      error = "another snapshot has come";
    } else if (!whole) {
      error = "short read";
    } else if (receipt->writer && !receipt->failed) {
      if (const auto done = receipt->writer->finish(*disk_); !done) receipt->failed = done.error();
    }
    if (error.empty() && receipt->failed) error = receipt->failed.message();
    const auto name = snapshot_name(receipt->meta, SnapshotOrigin::Received);
    if (error.empty() && receipt->writer) {
      auto file = SnapshotFile::open(*disk_, name);
      if (file && *file) {
        receipt->file = std::move(*file);
      } else {
        error = file ? "not written whole" : file.error().message();
      }
    }
    if (!error.empty() && receipt->writer) static_cast<void>(disk_->remove(name));
    turn([&](Core& core, Time time, Effects&) {
      if (error.empty()) {
        to_restore_.push_back(request);
        machine_work_.notify_one();
      } else {
        receipts_.erase(request);
        core.snapshot_failed(request, error, time);
      }
    });
  });
}

std::shared_ptr<const SnapshotFile> Node::snapshot_of(const SnapshotMeta& meta) {
  const std::lock_guard lock{mutex_};
  if (!snapshot_ || snapshot_->meta() != meta) return nullptr;
  return snapshot_;
}

void Node::bind(const std::shared_ptr<const Machine>& machine) {
  exchange({}, machine);
}

void Node::unbind(sy_registration* registration) {
  exchange(std::span{&registration, 1}, nullptr);
}

void Node::exchange(
    std::span<sy_registration* const> gone, const std::shared_ptr<const Machine>& come) {
  const std::lock_guard lock{mutex_};
  const bool leaves = machine_ && std::ranges::find(gone, machine_->registration()) != gone.end();
  if (machine_ && !leaves && come) {
    throw Failure{SY_EXISTS, "another state machine is registered already"};
  }
  if (!leaves && !come) return;
  if (leaves && come && !closed()) {
    if (auto machine = Machine::held(machine_)) displaced_.push_back(std::move(machine));
  }
  machine_ = come;
  machine_placed_ = false;
  machine_error_ = std::exchange(inherited_error_, {});
  machine_durable_ = 0;
  machine_work_.notify_one();
}

void Node::forget_machine_error() {
  const std::lock_guard lock{mutex_};
  machine_error_.clear();
}

void Node::bootstrap(const raftwire::Configuration& founders) {
  const auto& own = settings_.core;
  const auto* self = founders.find(own.id);
  if (!founders.valid() || self == nullptr || self->address != own.address) {
    throw Failure{
        SY_INVALID,
        "the first servers need names and addresses of their own, one of them a vote, and this "
        "server among them as " +
            own.id + " at " + own.address};
  }
  {
    const std::lock_guard lock{mutex_};
    if (!core_) throw Failure{SY_AGAIN, "the plugin is not active"};
    if (core_->log().last_index() != 0 || core_->ballot() != Ballot{}) {
      throw Failure{
          SY_EXISTS,
          "this server has a log, or has taken part in an election: it belongs to a cluster "
          "already. To make it one of its own, see recover"};
    }
  }
  let_go();
  forget_machine_error();
  begin(founders);
}

/// An entry in a new term, as a leader of that term would have made it: this server alone. Nobody
/// else can have been elected in that term by it, and it is the only one that is asked from now on.
void Node::recover() {
  raftwire::Configuration alone;
  alone.servers.push_back({raftwire::Suffrage::Voter, settings_.core.id, settings_.core.address});
  {
    const std::lock_guard lock{mutex_};
    if (!core_) throw Failure{SY_AGAIN, "the plugin is not active"};
    if (core_->role() == Role::Leader) {
      throw Failure{SY_INVALID, "this server leads its cluster: there is nothing to recover"};
    }
    if (core_->log().last_index() == 0) {
      throw Failure{SY_INVALID, "this server has nothing that could be recovered; see bootstrap"};
    }
  }
  let_go();
  forget_machine_error();
  {
    const std::lock_guard lock{mutex_};
    open_directory();
    open_core(0);
    const Ballot ballot{core_->ballot().term + 1, {}};
    const auto data = raftwire::encode_configuration(alone);
    const auto index = core_->log().last_index() + 1;
    core_.reset();
    log_->append({index, ballot.term, raftwire::EntryType::Configuration, data, {}});
    auto done = ballots_->save(ballot);
    if (done) done = log_->take_batch().write(*disk_, settings_.log);
    close();
    if (!done) throw Failure{SY_INTERNAL, "cannot write: " + done.error().message()};
  }
  begin({});
}

void Node::health() {
  const std::lock_guard lock{mutex_};
  if (!disk_error_.empty()) throw Failure{SY_INTERNAL, disk_error_};
  if (!machine_error_.empty()) throw Failure{SY_INTERNAL, machine_error_};
}

} // namespace switchyard::raft

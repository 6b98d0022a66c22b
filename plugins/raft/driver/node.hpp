#pragma once

#include <switchyard/loops.hpp>

#include <plugins/raft/core/core.hpp>
#include <plugins/raft/driver/calls.hpp>
#include <plugins/raft/driver/directory_lock.hpp>
#include <plugins/raft/driver/hand_over.hpp>
#include <plugins/raft/driver/machine.hpp>
#include <plugins/raft/driver/metrics.hpp>
#include <plugins/raft/driver/wire.hpp>
#include <plugins/raft/driver/worker.hpp>
#include <plugins/raft/log/ballot_file.hpp>
#include <plugins/raft/snapshot/snapshot_file.hpp>

#include <atomic>
#include <condition_variable>
#include <mutex>

namespace switchyard::raft {

struct NodeSettings {
  Settings core;
  LogSettings log;
  std::string data_dir;
  std::uint64_t snapshot_threshold = 16384; ///< entries after which a snapshot is taken
  std::uint64_t entry_bytes_max = 64U << 20;
};

/// Who has sent a request: a connection.
class Requester {
public:
  virtual ~Requester() = default;

  /// The loop that it lives on. Any thread.
  [[nodiscard]] virtual std::uint32_t loop() const noexcept = 0;

  /// The answer to its request number `slot`. [its loop]
  virtual void answered(std::uint64_t slot, Bytes answer) = 0;

  /// The bytes that follow request `slot` are wanted; without this they are to be dropped.
  /// [its loop]
  virtual void go_ahead(std::uint64_t slot, std::uint64_t receipt) = 0;
};

/// One request that has arrived.
struct Incoming {
  std::shared_ptr<Requester> from;
  std::uint64_t slot = 0;
  raftwire::Request request; ///< points into bytes that hold during the call
};

/// One answer that has arrived, or that none will.
struct Outcoming {
  SendId send = 0;
  AnswerBody answer;
  std::string_view error;
  bool failed = false;
};

/// One server of a cluster: the core, its log, and the threads that carry out what it says.
///
/// The core and the log are behind one lock, which is never held while anything waits: whoever has
/// an event takes it, lets the core decide, notes what is to be done, and does it once the lock is
/// free. The disk is written by one thread, which takes all that has come together while it wrote;
/// the state machine is called by another.
class Node {
public:
  /// Where requests go out. [home]
  class Network {
  public:
    virtual void send(std::vector<Outgoing> requests) = 0;

    /// When it wants to be asked again; Time::max(): not.
    virtual Time advance(Time now) = 0;

  protected:
    ~Network() = default;
  };

  /// The loop that requests go out from, and that keeps the time.
  static constexpr std::uint32_t kHome = 0;

  Node(const Host& host, const Metrics& metrics, NodeSettings settings, Network& network);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// Opens the data directory and begins. `founders` is written first if there is nothing yet.
  /// Throws Failure. [control]
  void begin(const raftwire::Configuration& founders);

  /// Ends all calls and threads; the last write is finished. May begin() again. [control]
  void end();

  // From one version of the plugin to the next. [control], except where it says otherwise

  /// Takes no calls any more, lets those that wait end, and hands leadership over, as far as a
  /// third of an election time-out allows, and half a second. Throws Failure.
  void step_aside();

  /// Lets nothing change any more, and returns once all is durable. Throws Failure.
  [[nodiscard]] HandOver quiet();

  /// Takes no event any more: when step_aside() or quiet() has failed, before go_on().
  void hush();

  /// Goes on as before, but that all its requests have failed; the network has none. [home]
  void go_on();

  /// end(), but for the lock of the directory, which another may share: it can still go back.
  void let_go();

  /// The lock of the directory. Until end().
  [[nodiscard]] int lock() const noexcept { return lock_->descriptor(); }

  /// In the place of begin(): goes on where another one has let go, whose lock is `lock`. Throws
  /// Failure when what it finds is not what was handed over.
  void take_over(const HandOver& handed, int lock);

  /// After end(). [home]
  void stop_timer() noexcept { timer_.stop(); }

  // Connections.

  /// Requests that have arrived together. Any loop.
  void receive(std::vector<Incoming> requests);

  /// [home]
  void answered(const std::vector<Outcoming>& answers);

  /// Bytes of a snapshot that was told to go ahead; `then` is called once they are written, or
  /// dropped. Any thread.
  void receive_snapshot(std::uint64_t receipt, Bytes bytes, std::function<void()> then);

  /// All bytes of it have come, or no more will. Any thread.
  void end_snapshot(std::uint64_t receipt, bool whole);

  /// For long reads from the disk, so that no loop waits for them.
  [[nodiscard]] Worker& files() noexcept { return files_; }

  /// The file of the snapshot that is to be sent; null: there is a newer one. Any thread.
  [[nodiscard]] std::shared_ptr<const SnapshotFile> snapshot_of(const SnapshotMeta& meta);

  // Applications. As in switchyard/raft/consensus.h. Any thread.

  sy_status call(Call call);
  void durable(std::uint64_t index);
  sy_status state(sy_raft_tell tell, void* context);

  /// They end() and begin(). Throw Failure. [a thread of the plugin, while nobody else does either]
  void bootstrap(const raftwire::Configuration& founders);
  void recover();

  /// [control]
  void bind(const std::shared_ptr<const Machine>& machine);
  void unbind(sy_registration* registration);

  /// Takes `come` (null: nobody) in the place of whoever is among `gone`; entries that come
  /// meanwhile wait for it.
  void exchange(std::span<sy_registration* const> gone, const std::shared_ptr<const Machine>& come);

  /// Hands leadership over, if there is somebody; `then` is called once. [control]
  void leave(std::function<void()> then);

  /// Throws Failure. [control]
  void health();

  [[nodiscard]] const NodeSettings& settings() const noexcept { return settings_; }

  [[nodiscard]] raftwire::Header header() const noexcept;
  [[nodiscard]] Time now() const noexcept;

private:
  struct Origin {
    std::shared_ptr<Requester> from;
    std::uint64_t slot;
    SnapshotMeta announced{}; ///< of an InstallSnapshot
  };

  struct Delivery {
    std::shared_ptr<Requester> to;
    std::uint64_t slot;
    Bytes answer;
    std::uint64_t receipt = 0; ///< not 0: go ahead
  };

  /// A snapshot that is coming in. The files thread only, but for `cancelled`.
  struct Receipt {
    SnapshotMeta meta;
    std::optional<SnapshotWriter> writer; ///< none: its bytes are of no use here
    boost::system::error_code failed;
    std::atomic<bool> cancelled = false;
    std::shared_ptr<const SnapshotFile> file; ///< once it is whole
  };

  /// What a turn leaves to be done without the lock.
  struct Effects {
    std::vector<Finished> finished;
    std::vector<std::string> violations;
    bool wakes_disk = false; ///< one that is woken under the lock has to wait for that at once
    bool wakes_machine = false;
  };

  template <class Event>
  void turn(Event event);
  void after_turn(Effects& effects);

  // node_actions.cpp
  void act(Effects& effects);
  void carry_out(SaveBallot& action, Effects& effects);
  void carry_out(Append& action, Effects& effects);
  void carry_out(InstallSnapshot& action, Effects& effects);
  void carry_out(Compact& action, Effects& effects);
  void carry_out(Apply& action, Effects& effects);
  void carry_out(Answer& action, Effects& effects);
  void carry_out(ReceiveSnapshot& action, Effects& effects);
  void carry_out(DropSnapshot& action, Effects& effects);
  void carry_out(Send& action, Effects& effects);
  void carry_out(CallDone& action, Effects& effects);
  void carry_out(LeaderChanged& action, Effects& effects);
  void carry_out(Violation& action, Effects& effects);
  [[nodiscard]] bool gather(const Replicate& message, Outgoing& into);
  void deliver(Delivery delivery);

  // node_calls.cpp
  void run_calls();
  void start_call(CallId id, Time now, Effects& effects);

  // node_loops.cpp
  void flush(std::uint32_t loop);
  void flush_or_post(std::uint32_t loop);
  void wake_home();
  void post_home();
  void home_turn();
  void arm();
  static void timer_fired(void* self);

  // node.cpp
  template <class Open>
  void begin(Open open);
  void close();
  void forget_machine_error();

  [[nodiscard]] bool closed() const noexcept { return !core_ || ending_ || quiet_; }

  sy_status add_call(Call call, bool own);
  void campaign();

  // node_disk.cpp
  void write_disk();
  void open_directory();
  void found(const raftwire::Configuration& founders);
  void open_core(std::uint64_t commit_index);

  // node_apply.cpp
  void run_machine();
  [[nodiscard]] bool place_machine(std::unique_lock<std::mutex>& lock);
  void apply_some(std::unique_lock<std::mutex>& lock);
  void machine_failed(std::string text);
  void tell_ended(const Effects& effects, std::unique_lock<std::mutex>& lock);
  void restore_received(std::unique_lock<std::mutex>& lock);
  void maybe_take_snapshot(std::unique_lock<std::mutex>& lock);
  void snapshot_taken(
      const SnapshotMeta& meta, std::shared_ptr<const SnapshotFile> file, const std::string& error);
  void announce_saved(Effects& effects);

  const Host host_;
  const Loops loops_;
  const Metrics& metrics_;
  NodeSettings settings_;
  Network& network_;

  std::mutex mutex_; ///< of everything below it
  std::optional<DirectoryLock> lock_;
  std::unique_ptr<Disk> disk_;
  std::unique_ptr<Log> log_;
  std::optional<BallotFile> ballots_; ///< the disk thread's, while it runs
  std::unique_ptr<Core> core_;        ///< null: not begun, or ended
  bool ending_ = false;
  bool refusing_ = false;            ///< calls
  bool quiet_ = false;               ///< no event is taken
  bool led_ = false;                 ///< when it was made quiet
  std::condition_variable progress_; ///< while it is either: a call has ended, a batch is written

  std::unordered_map<RequestId, Origin> requests_;
  RequestId last_request_ = 0;
  std::vector<std::vector<Delivery>> deliveries_; ///< by loop
  std::vector<bool> flush_posted_;                ///< by loop
  std::vector<Outgoing> outgoing_;
  Time armed_for_ = Time::max();
  bool home_posted_ = false;

  Calls calls_;
  std::vector<CallId> new_calls_; ///< not yet with the core
  std::optional<std::function<void()>> left_;

  // What is to be written.
  std::condition_variable disk_work_;
  WriteId wanted_ = 0;
  WriteId begun_ = 0;
  std::optional<Ballot> ballot_to_write_;
  RequestId installing_ = 0;      ///< its InstallSnapshot is among what is to be written
  std::string outdated_snapshot_; ///< to be removed once the one to install is written
  bool writing_ = false;
  std::string disk_error_;

  // The state machine.
  std::condition_variable machine_work_;
  std::shared_ptr<const Machine> machine_;
  std::vector<std::shared_ptr<const Machine>> displaced_; ///< are to be told
  bool machine_placed_ = false;
  std::string machine_error_;
  std::string inherited_error_; ///< of the state machine that is about to be bound
  std::uint64_t apply_to_ = 0;
  std::uint64_t applied_ = 0;
  std::optional<LeaderChanged> leadership_; ///< to be told
  LeaderChanged leader_{};
  std::map<RequestId, std::shared_ptr<Receipt>> receipts_;
  std::vector<RequestId> to_restore_;          ///< received whole
  RequestId restored_ = 0;                     ///< is to be installed; apply waits for that
  std::shared_ptr<const Machine> restored_by_; ///< has its state beside the present one
  bool install_written_ = false;

  // Snapshots.
  std::shared_ptr<const SnapshotFile> snapshot_; ///< the latest, durable
  bool taking_snapshot_ = false;
  std::uint64_t snapshot_tried_ = 0; ///< not again before so many more are applied
  std::vector<CallId> snapshot_calls_;
  std::optional<SnapshotMeta> unannounced_; ///< durable, but the state machine is not so far
  std::uint64_t machine_durable_ = 0;
  std::atomic<bool> cancelled_ = false;

  Timer timer_; ///< [home]
  Thread disk_thread_;
  Thread machine_thread_;
  Worker files_;
  Worker snapshots_;
};

template <class Event>
void Node::turn(Event event) {
  Effects effects;
  {
    const std::lock_guard lock{mutex_};
    if (closed()) return;
    event(*core_, now(), effects);
    act(effects);
  }
  after_turn(effects);
}

} // namespace switchyard::raft

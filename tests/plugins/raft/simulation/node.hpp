#pragma once

#include "network.hpp"
#include "simulated_disk.hpp"

#include <plugins/raft/log/ballot_file.hpp>
#include <plugins/raft/log/log.hpp>

namespace switchyard::raft::simulation {

/// What makes a node differ from others.
struct NodeSettings {
  Settings core;
  LogSettings log;
  std::uint64_t snapshot_threshold = 50; ///< entries after which a snapshot is taken
  Nanoseconds write_max = 2 * kMillisecond;
  Nanoseconds apply_max = 2 * kMillisecond;
  double clock_rate = 1;

  /// Leads like the Go implementation: names its commit index whatever a request covers.
  bool plain_commit_index = false;

  /// Gives low hints in refusals, so that leaders walk back in large steps.
  bool low_hints = false;
};

/// The state machine: a hash of everything it has applied.
struct State {
  std::uint64_t index = 0;
  std::uint64_t chain = 0;
};

/// The real core and the real log behind a driver without threads, on a simulated disk.
class Node final : public Endpoint {
public:
  /// What becomes of calls.
  using Done = std::function<void(const CallDone&)>;

  Node(World& world, Network& network, NodeId id, NodeSettings settings, Done done);

  [[nodiscard]] NodeId id() const noexcept { return id_; }

  [[nodiscard]] std::string name() const { return "n" + std::to_string(id_); }

  [[nodiscard]] bool up() const override { return core_ != nullptr; }

  [[nodiscard]] std::uint64_t life() const override { return life_; }

  /// The running core.
  [[nodiscard]] const Core& core() const { return *core_; }

  [[nodiscard]] const State& state() const noexcept { return state_; }

  /// Writes what a founding server has before it first runs.
  void found(const raftwire::Configuration& members);

  void start();

  /// Another version of it goes on in its place, unless its disk has failed: from the disk, and
  /// from what one version tells the next. The state machine stays.
  void replace();

  enum class Crash : std::uint8_t { Power, Process };
  void crash(Crash crash);

  /// Does nothing until then, as if stopped by a signal.
  void pause(Nanoseconds duration) { paused_until_ = world_.now() + duration; }

  /// Something in the disk breaks a few operations from now.
  void break_disk(std::uint64_t operations) { disk_.fail_after(operations); }

  /// Lets `what` happen on the core, then does what it asks for.
  template <class What>
  void on_core(What what) {
    if (!up()) return;
    if (world_.now() < paused_until_) {
      // When it goes on, nobody knows in which order it sees what has happened meanwhile.
      const auto rest = paused_until_ - world_.now() + world_.chance.between(0, kMillisecond);
      return later(rest, [this, happen = std::move(what)] { on_core(happen); });
    }
    what(*core_, local_now());
    act();
  }

  bool receive(
      const std::shared_ptr<const Bytes>& request,
      std::shared_ptr<Connection> connection,
      std::shared_ptr<Exchange> exchange) override;
  void answered(std::shared_ptr<const Exchange> exchange) override;
  void failed(SendId send) override;

  NodeSettings settings;

private:
  struct Origin {
    std::shared_ptr<Connection> connection;
    std::shared_ptr<Exchange> exchange;
    State incoming{}; ///< of a snapshot

    // What a good answer says.
    std::uint64_t index = 0;
    std::uint64_t index_term = 0;
    std::string candidate{};
  };

  struct Saved {
    SnapshotMeta meta;
    State state;
  };

  [[nodiscard]] Time local_now() const;
  void open(std::uint64_t commit_index);
  void forget();
  void finish_write();
  void act();
  void arm();
  void later(Nanoseconds delay, std::function<void()> what);

  void carry_out(SaveBallot& action);
  void carry_out(Append& action);
  void carry_out(InstallSnapshot& action);
  void carry_out(Compact& action);
  void carry_out(Apply& action);
  void carry_out(Answer& action);
  void carry_out(ReceiveSnapshot& action);
  void carry_out(DropSnapshot& action);
  void carry_out(Send& action);
  void carry_out(CallDone& action);

  void carry_out(LeaderChanged&) {}

  void carry_out(Violation& action);

  void begin_write();
  [[nodiscard]] bool write();
  void apply_up_to(std::uint64_t index);
  void apply_entries();
  void take_snapshot();
  [[nodiscard]] Bytes encode(const Message& message, bool& readable) const;
  void remember(Origin& origin, const raftwire::Request& request, std::span<const std::byte> body);
  void tell(const Answer& answer, const Origin& origin);

  World& world_;
  Network& network_;
  const NodeId id_;
  const Done done_;

  SimulatedDisk disk_;
  std::optional<Saved> saved_; ///< the snapshot that is durable

  // Of one life of the process.
  std::uint64_t life_ = 0;
  std::unique_ptr<Log> log_;
  std::optional<BallotFile> ballots_;
  std::unique_ptr<Core> core_;
  State state_;
  std::uint64_t apply_to_ = 0;
  bool applying_ = false;
  bool snapshotting_ = false;
  std::map<RequestId, Origin> requests_;
  RequestId last_request_ = 0;

  WriteId wanted_ = 0; ///< the last write asked for
  WriteId begun_ = 0;
  std::optional<Ballot> ballot_to_write_;
  std::optional<Saved> snapshot_to_write_;

  /// What is being written.
  struct Writing {
    std::optional<Ballot> ballot;
    std::optional<Saved> snapshot;
    LogBatch batch;
  };

  std::optional<Writing> now_writing_;

  Nanoseconds paused_until_ = 0;
  Nanoseconds armed_for_ = 0;
};

} // namespace switchyard::raft::simulation

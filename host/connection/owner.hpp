#pragma once

#include <host/connection/close_reason.hpp>
#include <host/connection/connection.hpp>
#include <host/connection/hangup_watch.hpp>
#include <host/connection/trial_number.hpp>
#include <host/loop/descriptor_blocks.hpp>
#include <host/loop/loop.hpp>
#include <host/loop/memory_trim.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

namespace switchyard::host {

/// Who a connection belongs to: one loop's connections, their counters, and the watch over those
/// that were handed out as descriptors. Used on its loop; the counters are read by any thread.
class ConnectionOwner {
public:
  explicit ConnectionOwner(Loop& loop)
      : loop_{loop}, blocks_{loop}, memory_{loop}, hangups_{loop, *this} {}

  [[nodiscard]] Loop& loop() noexcept { return loop_; }

  [[nodiscard]] ConnectionCounters& counters() noexcept { return counters_; }

  [[nodiscard]] Connection::Live& live() noexcept { return live_; }

  [[nodiscard]] HangupWatch& hangups() noexcept { return hangups_; }

  /// Is told of the end of each connection, whoever ends it. Before the first one.
  using Heard = std::function<void(std::uint64_t id, CloseReason reason)>;

  void on_end(Heard heard) { heard_ = std::move(heard); }

  /// Numbers from next_id() begin behind `last`, for other connections have numbers of another
  /// process. Before the first one.
  void number_behind(std::uint64_t last) noexcept { last_id_ = last; }

  /// A number no other connection of the process has: the loop's index above, a count below.
  [[nodiscard]] std::uint64_t next_id() noexcept {
    return (std::uint64_t{loop_.index()} << 48) | ++last_id_;
  }

  /// The same, of a connection that is_trial().
  [[nodiscard]] std::uint64_t next_trial_id() noexcept { return next_id() | kTrialNumber; }

  /// Prepares the reactor for the descriptor of one more connection.
  void reserve_one() { blocks_.reserve(memory_.open() - hangups_.open() - elsewhere_ + 1); }

  /// Takes on a connection, until ended() or until the watch over handed-out ones has seen its end.
  void begun(Connection& connection) {
    live_.push_back(connection);
    if (!is_trial(connection.id())) counters_.count_accepted();
    memory_.opened();
  }

  void ended(std::uint64_t id, CloseReason reason) {
    if (!is_trial(id)) counters_.count_closed(reason);
    memory_.ended();
    if (heard_) heard_(id, reason);
  }

  /// One is open in another process; ended_elsewhere() follows.
  void left() noexcept { ++elsewhere_; }

  void ended_elsewhere(std::uint64_t id, CloseReason reason) {
    --elsewhere_;
    ended(id, reason);
  }

  /// Cuts every connection that is left, whoever holds it.
  void close_all(CloseReason reason);

  /// Cuts every connection of `plugin`, which does not look at them any more.
  void close_those_of(const InstanceServices& plugin);

private:
  Loop& loop_;
  ConnectionCounters counters_;
  Connection::Live live_;
  DescriptorBlocks blocks_;
  MemoryTrim memory_;
  HangupWatch hangups_;
  std::uint64_t last_id_ = 0;
  std::size_t elsewhere_ = 0;
  Heard heard_;
};

} // namespace switchyard::host

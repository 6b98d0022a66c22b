#pragma once

#include <switchyard/host.h>

#include <host/services/services.hpp>
#include <host/services/threads.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard::host {

/// How far an instance is, as its services see it.
enum class ServicePhase : std::uint8_t {
  Init,    ///< metrics, handles and registrations can be made
  Running, ///< metrics are frozen
  Stopped, ///< nothing new begins: post, timer, dial, spawn and add say SY_CANCELLED
};

/// Everything the host keeps for one plugin instance, and the sy_host it was given. The counters
/// are kept by whoever makes and ends such a thing; an unload is refused while one of them is not
/// 0.
struct InstanceServices {
  /// `required`: the interface ids that its manifest requires; open() and add() take no other.
  InstanceServices(
      Services& shared,
      const LoopServices& loop_services,
      std::string plugin,
      std::vector<std::string> required);
  ~InstanceServices();
  InstanceServices(const InstanceServices&) = delete;
  InstanceServices& operator=(const InstanceServices&) = delete;

  /// The instance behind a `host` that a plugin passes in. [any thread]
  [[nodiscard]] static InstanceServices& of(const sy_host* host) noexcept {
    return *static_cast<InstanceServices*>(host->host_data);
  }

  /// Takes a place for one more connection: false once the plugin drains. A true is followed by
  /// connection_closed() exactly once, whoever ends the connection. Any thread.
  [[nodiscard]] bool connection_opened() noexcept;

  /// The same for one that the host has made itself: it is not in `taken`.
  [[nodiscard]] bool trial_opened() noexcept;

  void connection_closed() noexcept { ended(connections); }

  /// Counts one of the below less. The services may be gone when it returns. Any thread.
  void ended(std::atomic<std::uint64_t>& counter) noexcept { shared.ends.give_back(counter); }

  /// Begins to end its dials, once `draining` is set. Any thread.
  void cancel_dials() noexcept;

  /// Waits for the end of every dial, at most until `deadline`.
  [[nodiscard]] bool dials_ended(std::chrono::steady_clock::time_point deadline);

  /// Waits for the end of every connection, at most until `deadline`.
  [[nodiscard]] bool connections_ended(std::chrono::steady_clock::time_point deadline);

  /// Waits until every loop has left what it is in now, at most until `deadline`: a plugin may tell
  /// its last end from inside a function of its own, to which the loop returns. False when a loop
  /// does not return from there. Before it has stopped, or afterwards.
  [[nodiscard]] bool loops_left(std::chrono::steady_clock::time_point deadline);

  /// Begins to close the connections that it has left open, once it has stopped. Any thread.
  void close_connections() noexcept;

  /// SY_OK when the instance may open `id` or register with it; SY_NOT_FOUND when its manifest does
  /// not require it, SY_CANCELLED once it has stopped. Any thread.
  [[nodiscard]] sy_status may_use(std::string_view id, sy_error* error) const noexcept;

  /// What is left of the instance, for the operator: "2 connections, 1 thread"; empty when nothing
  /// is. After the plugin's stop(): a last post may still be on its way back, which this waits for
  /// until `deadline`. Joins threads that have ended and closes its handles.
  [[nodiscard]] std::string leftovers(std::chrono::steady_clock::time_point deadline);

  Services& shared;
  const LoopServices loops;
  const std::string plugin; ///< name in plugins.toml
  const std::vector<std::string> required;
  sy_host host{};

  std::atomic<ServicePhase> phase{ServicePhase::Init};
  std::atomic<bool> draining{false};

  std::atomic<std::uint64_t> connections{
      0};                               ///< given or being given, accepted or dialled or adopted
  std::atomic<std::uint64_t> taken{0};  ///< connections of others since it began
  std::atomic<std::uint64_t> errors{0}; ///< connections it did not take, or closed as "internal"
  std::atomic<std::uint64_t> timers{0};
  std::atomic<std::uint64_t> posts{0}; ///< posted and not yet run
  std::atomic<std::uint64_t> dials{0}; ///< begun and not yet done
  std::atomic<std::uint64_t> turns{0}; ///< of loops, which loops_left() waits for

  Threads threads;
};

} // namespace switchyard::host

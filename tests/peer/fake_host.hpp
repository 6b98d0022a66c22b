#pragma once

#include <switchyard/connection.h>
#include <switchyard/host.h>
#include <switchyard/loops.h>
#include <switchyard/metrics.h>
#include <switchyard/threads.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace switchyard::peer {

class FakeLoop;

/// The host's side of the ABI, as small as it can be: loops with poll() over real sockets, a clock
/// that a test turns, and counts of everything that a plugin has not given back. Any thread.
class FakeHost {
public:
  explicit FakeHost(std::uint32_t loops = 1);
  ~FakeHost();
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  [[nodiscard]] const sy_host* get() const noexcept { return &host_; }

  /// Turns the clock and lets timers that are due fire.
  void advance(std::uint64_t nanoseconds);

  /// Runs `work` on a loop and waits for its end.
  void on_loop(std::uint32_t loop, const std::function<void()>& work);

  /// On that loop: makes a connection of a socket, as the host does of an accepted one. `tls` only
  /// makes detach() refuse.
  sy_connection* connect(int socket, bool tls = false);

  /// The reasons of the connections closed so far, in their order; waits until there are `count`.
  std::vector<sy_close_reason> closed(std::size_t count);

  /// Lines that were logged.
  [[nodiscard]] std::vector<std::string> lines() const;

  [[nodiscard]] double metric(const std::string& name) const;

  /// A service that this host has beyond loops, metrics and threads.
  void offer(std::string id, const void* table) { offered_[std::move(id)] = table; }

  /// Begins nothing more for the plugin, as a host that has stopped it or given it up.
  std::atomic<bool> stopped = false;

  // What a plugin has not given back.
  std::atomic<int> connections = 0;
  std::atomic<int> timers = 0;
  std::atomic<int> posts = 0;
  std::atomic<int> threads = 0;

private:
  friend class FakeLoop;
  friend struct FakeServices;

  void note_closed(sy_close_reason reason);

  sy_host host_{};
  sy_loops loops_table_{};
  sy_metrics metrics_table_{};
  sy_threads threads_table_{};
  std::atomic<std::uint64_t> now_ = 1'000'000'000'000;
  std::map<std::string, const void*> offered_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<sy_close_reason> closed_;
  std::vector<std::string> lines_;
  std::map<std::string, double> metrics_;
  std::vector<std::unique_ptr<sy_metric, void (*)(sy_metric*)>> declared_;

  std::vector<std::unique_ptr<FakeLoop>> loops_;
};

} // namespace switchyard::peer

#pragma once

#include <switchyard/threads.h>

#include <chrono>
#include <cstddef>
#include <memory>

namespace switchyard::host {

/// At most this many threads a plugin instance.
inline constexpr std::size_t kThreadsMax = 256;

/// The table of SY_THREADS; every function finds its instance through `host`.
[[nodiscard]] const sy_threads& threads_table() noexcept;

/// The threads of one plugin instance: named, counted, joined. Any thread.
class Threads {
public:
  Threads();
  ~Threads();
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  /// SY_LIMIT at kThreadsMax, SY_NO_MEMORY when the system gives none.
  [[nodiscard]] sy_status spawn(sy_string name, sy_callback run, void* context, sy_thread** thread);

  /// Waits for the end of `thread` and frees it. Not from that thread itself.
  void join(sy_thread* thread);

  /// How many were spawned and have not been joined.
  [[nodiscard]] std::size_t unjoined() const;

  /// Joins what has ended and was not joined; waits until `deadline` for the end of what is
  /// thread_local there. Returns how many still run; these stay the plugin's until the process
  /// ends.
  [[nodiscard]] std::size_t reap(std::chrono::steady_clock::time_point deadline);

private:
  struct State;
  std::shared_ptr<State> state_;
};

} // namespace switchyard::host

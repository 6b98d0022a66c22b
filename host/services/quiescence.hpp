#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace switchyard::host {

/// Lets one thread wait until counted uses of something have ended. A user raises its counter and
/// then looks whether the thing is going; whoever takes the thing away marks it and then waits. All
/// of it is sequentially consistent, so that at least one of the two sees the other.
class Quiescence {
public:
  /// Guards what the waiting thread looks at besides the counters.
  std::mutex mutex;

  /// Ends a use. What holds `uses` may be freed as soon as it is down. Any thread.
  void give_back(std::atomic<std::size_t>& uses) noexcept {
    if (uses.fetch_sub(1) != 1 || !awaited_) return;
    const std::lock_guard lock{mutex};
    changed_.notify_all();
  }

  /// Waits for `quiet()`, at most until `deadline`; returns what it says then. One thread at a
  /// time, with `lock` on mutex.
  template <class Quiet>
  bool wait_until(
      std::unique_lock<std::mutex>& lock,
      std::chrono::steady_clock::time_point deadline,
      Quiet quiet) {
    awaited_ = true;
    const bool reached = changed_.wait_until(lock, deadline, quiet);
    awaited_ = false;
    return reached;
  }

private:
  std::condition_variable changed_;
  std::atomic<bool> awaited_{false};
};

} // namespace switchyard::host

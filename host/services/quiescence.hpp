#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace switchyard::host {

/// Lets threads wait until counted uses of something have ended. A user raises its counter and
/// then looks whether the thing is going; whoever takes the thing away marks it and then waits. All
/// of it is sequentially consistent, so that at least one of the two sees the other.
class Quiescence {
public:
  /// Guards what the waiting thread looks at besides the counters.
  std::mutex mutex;

  /// Ends a use. What holds `uses` may be freed as soon as it is down. Any thread.
  void give_back(std::atomic<std::size_t>& uses) noexcept {
    if (uses.fetch_sub(1) != 1 || waiting_ == 0) return;
    const std::lock_guard lock{mutex};
    changed_.notify_all();
  }

  /// Waits for `quiet()`, at most until `deadline`; returns what it says then. With `lock` on
  /// mutex. Several may wait: a control thread that was given up may still be in here.
  template <class Quiet>
  bool wait_until(
      std::unique_lock<std::mutex>& lock,
      std::chrono::steady_clock::time_point deadline,
      Quiet quiet) {
    ++waiting_;
    const bool reached = changed_.wait_until(lock, deadline, quiet);
    --waiting_;
    return reached;
  }

private:
  std::condition_variable changed_;
  std::atomic<unsigned> waiting_{0};
};

} // namespace switchyard::host

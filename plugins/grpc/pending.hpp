#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace switchyard::grpc {

/// Counts what has begun and not ended. Any thread.
class Pending {
public:
  void begin() {
    const std::lock_guard lock{mutex_};
    ++count_;
  }

  /// The counter may be gone afterwards.
  void end() {
    const std::lock_guard lock{mutex_};
    if (--count_ == 0) none_.notify_all();
  }

  /// Returns once everything has ended.
  void wait() {
    std::unique_lock lock{mutex_};
    none_.wait(lock, [this] { return count_ == 0; });
  }

private:
  std::mutex mutex_;
  std::condition_variable none_;
  std::size_t count_ = 0;
};

} // namespace switchyard::grpc

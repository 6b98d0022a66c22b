#pragma once

#include <atomic>
#include <cstddef>

namespace switchyard::grpc {

/// Counts the threads of services that are inside of a function of a call. One may be on its way
/// out of finish() when its call has ended already and nothing else says that our code is in use.
/// Any thread.
class ServiceThreads {
public:
  /// While it lives, the thread is inside. Outlived by the counter, not by the call.
  class Inside {
  public:
    explicit Inside(ServiceThreads& threads) noexcept : threads_{threads} {
      threads_.inside_.fetch_add(1, std::memory_order_relaxed);
    }

    ~Inside() { threads_.inside_.fetch_sub(1, std::memory_order_release); }

    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

  private:
    ServiceThreads& threads_;
  };

  /// Once all calls have ended, false stays false.
  [[nodiscard]] bool any_inside() const noexcept {
    return inside_.load(std::memory_order_acquire) != 0;
  }

private:
  std::atomic<std::size_t> inside_ = 0;
};

} // namespace switchyard::grpc

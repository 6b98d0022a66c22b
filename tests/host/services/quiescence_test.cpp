#include <host/services/quiescence.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <future>
#include <mutex>
#include <utility>

namespace switchyard::host {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// A thread that waits for the end of one use.
class Waiter {
public:
  explicit Waiter(Quiescence& quiescence) : quiescence_{quiescence} { waits_.get_future().wait(); }

  void end_use() { quiescence_.give_back(uses_); }

  /// Whether it was woken, and not by its limit.
  [[nodiscard]] bool woken() { return woken_.get(); }

private:
  bool wait() {
    const auto deadline = Clock::now() + 30s;
    bool first = true;
    std::unique_lock lock{quiescence_.mutex};
    const auto reached = quiescence_.wait_until(lock, deadline, [&] {
      if (std::exchange(first, false)) waits_.set_value(); // nobody gets the mutex before it waits
      return uses_ == 0;
    });
    return reached && Clock::now() < deadline;
  }

  Quiescence& quiescence_;
  std::atomic<std::size_t> uses_{1};
  std::promise<void> waits_;
  std::future<bool> woken_{std::async(std::launch::async, [this] { return wait(); })};
};

TEST(Quiescence, WakesEveryoneWhoWaits) {
  Quiescence quiescence;
  Waiter one{quiescence};
  Waiter two{quiescence};
  one.end_use();
  EXPECT_TRUE(one.woken());
  two.end_use(); // the first has left: that is not the end of waiting
  EXPECT_TRUE(two.woken());
}

TEST(Quiescence, SaysWhatHoldsAtTheLimit) {
  Quiescence quiescence;
  std::unique_lock lock{quiescence.mutex};
  EXPECT_FALSE(quiescence.wait_until(lock, Clock::now(), [] { return false; }));
  EXPECT_TRUE(quiescence.wait_until(lock, Clock::now(), [] { return true; }));
}

} // namespace
} // namespace switchyard::host

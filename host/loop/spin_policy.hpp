#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace switchyard::host {

/// Decides how long a loop polls before it sleeps. Polling answers a peer that sends one request
/// after the other sooner, at the price of a core; with several peers at work, or one that takes
/// its time, it only costs; and when the work goes on in another thread of this process, that one
/// needs the core. So it is done while work comes one piece at a time, soon, and ends here. Pure:
/// told what happened, never reads a clock.
class SpinPolicy {
public:
  using Duration = std::chrono::nanoseconds;

  /// Never polls longer than `limit`; 0: never polls.
  explicit SpinPolicy(Duration limit) noexcept : limit_{limit}, gap_{kGapMax * limit} {}

  /// A turn ran `handlers` (> 0) after the loop had nothing to do for `gap`; `shared`: what it did
  /// another thread of this process goes on with, or has begun.
  void worked(std::size_t handlers, Duration gap, bool shared) noexcept {
    if (gap > kRest * limit_) {
      missed_ = 0;
    } else if (budget() > Duration::zero()) {
      approach(missed_, gap > limit_ ? 1 : 0);
    }
    approach(handlers_, static_cast<double>(handlers));
    gap_ += (std::min(gap, kGapMax * limit_) - gap_) / kTurns;
    shared_ = shared;
  }

  /// What the last turn did goes on in another thread.
  [[nodiscard]] bool shared() const noexcept { return shared_; }

  /// How long to poll after the last work.
  [[nodiscard]] Duration budget() const noexcept {
    const auto soon = missed_ > kMostly ? limit_ : kAsleep * limit_;
    return !shared_ && gap_ <= soon && handlers_ < kSeveral ? limit_ : Duration::zero();
  }

private:
  // Moving averages are over about so many turns.
  static constexpr int kTurns = 8;
  // While a loop sleeps work comes later: it has to be woken, and so has its peer, which has waited
  // longer for that. So polling is tried, and what it misses shows whether that was all.
  static constexpr int kAsleep = 2;
  static constexpr double kMostly = 0.5;
  // After so long others may be at work than those who were polled for in vain.
  static constexpr int kRest = 100;
  // A long rest counts no more than a few short ones.
  static constexpr int kGapMax = 4;
  static constexpr double kSeveral = 1.5;

  static void approach(double& average, double value) noexcept {
    average += (value - average) / kTurns;
  }

  Duration limit_;
  Duration gap_;
  double handlers_ = 1;
  double missed_ = 0; ///< of what was polled for, the share that came after the limit
  bool shared_ = false;
};

} // namespace switchyard::host

#pragma once

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
  explicit SpinPolicy(Duration limit) noexcept : limit_{limit}, gap_{2 * kFarApart * limit} {}

  /// A turn ran `handlers` (> 0) after the loop had nothing to do for `gap`; `shared`: what it did
  /// another thread of this process goes on with, or has begun.
  void worked(std::size_t handlers, Duration gap, bool shared) noexcept {
    shared_ = shared;
    // Moving averages over about eight turns; a long rest counts no more than a few short ones.
    const auto capped = gap < 2 * kFarApart * limit_ ? gap : 2 * kFarApart * limit_;
    gap_ += (capped - gap_) / 8;
    handlers_ += (static_cast<double>(handlers) - handlers_) / 8;
  }

  /// What the last turn did goes on in another thread.
  [[nodiscard]] bool shared() const noexcept { return shared_; }

  /// How long to poll after the last work.
  [[nodiscard]] Duration budget() const noexcept {
    return !shared_ && gap_ <= kFarApart * limit_ && handlers_ < kSeveral ? limit_
                                                                          : Duration::zero();
  }

private:
  // A sleeping loop sees longer gaps than a polling one, for waking takes about as long as the
  // limit.
  static constexpr int kFarApart = 2;
  static constexpr double kSeveral = 1.5;

  Duration limit_;
  Duration gap_;
  double handlers_ = 1;
  bool shared_ = false;
};

} // namespace switchyard::host

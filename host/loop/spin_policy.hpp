#pragma once

#include <chrono>
#include <cstddef>

namespace switchyard::host {

/// Decides how long a loop polls before it sleeps. Polling answers a peer that sends one request
/// after the other sooner, at the price of a core; with several peers at work, or one that takes
/// its time, it only costs. So it is done while work comes one piece at a time and soon. Pure: told
/// what happened, never reads a clock.
class SpinPolicy {
public:
  using Duration = std::chrono::nanoseconds;

  /// Never polls longer than `limit`; 0: never polls.
  explicit SpinPolicy(Duration limit) noexcept : limit_{limit}, gap_{2 * kFarApart * limit} {}

  /// A turn ran `handlers` (> 0) after the loop had nothing to do for `gap`.
  void worked(std::size_t handlers, Duration gap) noexcept {
    // Moving averages over about eight turns; a long rest counts no more than a few short ones.
    const auto capped = gap < 2 * kFarApart * limit_ ? gap : 2 * kFarApart * limit_;
    gap_ += (capped - gap_) / 8;
    handlers_ += (static_cast<double>(handlers) - handlers_) / 8;
  }

  /// How long to poll after the last work.
  [[nodiscard]] Duration budget() const noexcept {
    return gap_ <= kFarApart * limit_ && handlers_ < kSeveral ? limit_ : Duration::zero();
  }

private:
  // A sleeping loop sees longer gaps than a polling one, for waking takes about as long as the
  // limit.
  static constexpr int kFarApart = 2;
  static constexpr double kSeveral = 1.5;

  Duration limit_;
  Duration gap_;
  double handlers_ = 1;
};

} // namespace switchyard::host

#pragma once

#include <algorithm>
#include <chrono>

namespace switchyard::host {

/// How long to wait before a process that has ended is started again: not at all the first time,
/// then from 100 ms twice as long each time, until one has lived for long enough. Pure.
class Backoff {
public:
  using Time = std::chrono::milliseconds;

  static constexpr Time kFirst{100};
  static constexpr Time kForgiven{10'000}; ///< after a life of that length it begins anew

  /// `longest`: no wait is longer.
  explicit Backoff(Time longest) noexcept : longest_{longest} {}

  /// One has ended after `life`.
  [[nodiscard]] Time after(Time life) noexcept {
    if (life >= kForgiven) next_ = Time{0};
    const auto wait = std::min(next_, longest_);
    next_ = next_ == Time{0} ? kFirst : std::min(2 * next_, longest_);
    return wait;
  }

private:
  Time longest_;
  Time next_{0};
};

} // namespace switchyard::host

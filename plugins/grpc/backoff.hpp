#pragma once

#include <algorithm>
#include <chrono>

namespace switchyard::grpc {

/// How long to wait before a server is dialled again: one second at first, more each time, two
/// minutes at most, varied so that clients of a server that was away do not come all at once.
/// Source: grpc/grpc, doc/connection-backoff.md.
class Backoff {
public:
  /// From the begin of one attempt to the begin of the next. `chance` is from 0 to 1.
  [[nodiscard]] std::chrono::nanoseconds next(double chance) noexcept {
    const auto varied = wait_ * (1.0 + kJitter * (2.0 * chance - 1.0));
    wait_ = std::min(wait_ * kGrowth, kLongest);
    return std::chrono::duration_cast<std::chrono::nanoseconds>(varied);
  }

  /// A connection has lasted.
  void reset() noexcept { wait_ = kFirst; }

private:
  using Seconds = std::chrono::duration<double>;

  static constexpr Seconds kFirst{1};
  static constexpr Seconds kLongest{120};
  static constexpr double kGrowth = 1.6;
  static constexpr double kJitter = 0.2;

  Seconds wait_ = kFirst;
};

} // namespace switchyard::grpc

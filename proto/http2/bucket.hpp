#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace switchyard::http2 {

/// How often something may happen: `burst` times at once, and once more `every` so long.
/// `burst * every` must stay below 200 years.
struct Allowance {
  std::uint32_t burst = 1;
  std::chrono::nanoseconds every = std::chrono::seconds{1};
};

/// A token bucket in eight bytes: all it keeps is when it will be full again. Starts full. Times
/// are nanoseconds since any fixed point and do not run backwards.
class Bucket {
public:
  /// Takes one token, or returns false when there is none.
  [[nodiscard]] bool take(const Allowance& allowance, std::chrono::nanoseconds now) noexcept {
    const auto full_at = std::max(full_at_, now) + allowance.every;
    if (full_at - now > allowance.burst * allowance.every) return false;
    full_at_ = full_at;
    return true;
  }

  /// Puts `count` tokens back; what does not fit is lost.
  void
  give(const Allowance& allowance, std::uint32_t count, std::chrono::nanoseconds now) noexcept {
    if (full_at_ > now) full_at_ = std::max(full_at_ - count * allowance.every, now);
  }

private:
  std::chrono::nanoseconds full_at_ = std::chrono::nanoseconds::min();
};

} // namespace switchyard::http2

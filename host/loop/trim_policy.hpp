#pragma once

#include <boost/assert.hpp>

#include <algorithm>
#include <cstddef>

namespace switchyard::host {

/// Decides when it is worth giving freed memory back to the system: once half of the connections of
/// a peak have gone, so that the work is in proportion to what came and went. Pure.
class TrimPolicy {
public:
  void opened() noexcept { peak_ = std::max(peak_, ++open_); }

  void ended() noexcept {
    BOOST_ASSERT(open_ > 0);
    --open_;
  }

  [[nodiscard]] std::size_t open() const noexcept { return open_; }

  [[nodiscard]] bool due() const noexcept {
    return open_ <= peak_ / 2 && peak_ - open_ >= kWorthwhile;
  }

  /// It was done: the peak counts from here.
  void trimmed() noexcept { peak_ = open_; }

  static constexpr std::size_t kWorthwhile =
      16; // 32 KiB of silent connections, but of TLS half a MiB

private:
  std::size_t open_ = 0;
  std::size_t peak_ = 0;
};

} // namespace switchyard::host

#pragma once

#include <proto/msgpack/error.hpp>
#include <proto/msgpack/head.hpp>
#include <proto/msgpack/limits.hpp>

#include <array>
#include <optional>

namespace switchyard::msgpack {

/// Follows an object through its heads, without a payload and without recursion: how deep we are,
/// how many bytes the object takes at least, and whether it is over.
class Nesting {
public:
  explicit Nesting(const Limits& limits) noexcept;

  /// Counts the object that `head` begins, and its payload; a head after a complete object begins
  /// the next. Returns Error::Reserved, TooDeep or TooLarge, and is then of no further use.
  [[nodiscard]] std::optional<Error> enter(const Head& head) noexcept;

  /// True between whole objects: before the first head and after the last.
  [[nodiscard]] bool complete() const noexcept { return outstanding_ == 0; }

  /// Bytes up to the next head, counted from the start of the object.
  [[nodiscard]] std::uint64_t position() const noexcept { return position_; }

  /// Bytes the object takes at least, by what has been declared so far. Never above bytes_max.
  [[nodiscard]] std::uint64_t size_min() const noexcept { return position_ + outstanding_; }

private:
  std::uint32_t bytes_max_;
  std::uint64_t position_ = 0;
  std::uint64_t outstanding_ = 0; ///< objects declared and not yet begun; each is at least one byte
  std::uint32_t depth_max_;
  std::uint32_t depth_ = 0;
  std::array<std::uint32_t, kDepthMax> left_; ///< [0, depth_): elements still to come at that level
};

} // namespace switchyard::msgpack

#include <proto/msgpack/nesting.hpp>

#include <boost/assert.hpp>

namespace switchyard::msgpack {

Nesting::Nesting(const Limits& limits) noexcept
    : bytes_max_{limits.bytes_max}, depth_max_{limits.depth_max} {
  BOOST_ASSERT(depth_max_ <= kDepthMax);
}

std::optional<Error> Nesting::enter(const Head& head) noexcept {
  if (complete()) position_ = 0;
  const bool nested = depth_ != 0;
  std::uint64_t inside = 0;
  position_ += head.size;
  switch (head.kind) {
  case Kind::Reserved: return Error::Reserved;
  case Kind::String:
  case Kind::Binary:
  case Kind::Extension: position_ += head.number; break;
  case Kind::Array: inside = head.number; break;
  case Kind::Map: inside = 2 * head.number; break;
  default: break; // the head is all there is
  }

  // Nothing overflows: a payload and what is inside are below 2^33, and the sum so far below 2^32.
  outstanding_ = outstanding_ - (nested ? 1 : 0) + inside;
  if (position_ > bytes_max_ || outstanding_ > bytes_max_ - position_) return Error::TooLarge;

  if (nested) --left_[depth_ - 1];
  if (inside != 0) {
    if (depth_ == depth_max_) return Error::TooDeep;
    left_[depth_++] = static_cast<std::uint32_t>(inside);
    return std::nullopt;
  }
  while (depth_ != 0 && left_[depth_ - 1] == 0)
    --depth_;
  return std::nullopt;
}

} // namespace switchyard::msgpack

#include <proto/msgpack/nesting.hpp>

#include <boost/assert.hpp>

namespace switchyard::msgpack {
namespace {

std::uint64_t payload_size(const Head& head) noexcept {
  switch (head.kind) {
  case Kind::String:
  case Kind::Binary:
  case Kind::Extension: return head.number;
  default: return 0;
  }
}

std::uint64_t children(const Head& head) noexcept {
  switch (head.kind) {
  case Kind::Array: return head.number;
  case Kind::Map: return 2 * head.number; // at most 2 * (2^32 - 1)
  default: return 0;
  }
}

} // namespace

Nesting::Nesting(const Limits& limits) noexcept
    : bytes_max_{limits.bytes_max}, depth_max_{limits.depth_max} {
  BOOST_ASSERT(depth_max_ <= kDepthMax);
}

std::optional<Error> Nesting::enter(const Head& head) noexcept {
  if (head.kind == Kind::Reserved) return Error::Reserved;

  const bool nested = depth_ != 0;
  const auto inside = children(head);

  // Nothing overflows: payload and children are below 2^33, and the sum so far is below 2^32.
  if (complete()) position_ = 0;
  position_ += head.size + payload_size(head);
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

#pragma once

#include <proto/msgpack/nesting.hpp>

#include <boost/system/result.hpp>

#include <optional>
#include <span>

namespace switchyard::msgpack {

/// Finds where one object ends while its bytes arrive. Each byte of a head is looked at once,
/// whatever the split, and payloads not at all. No allocation, no recursion; one thread.
class Extent {
public:
  explicit Extent(const Limits& limits = {}) noexcept : nesting_{limits} {}

  /// Goes on where the last call stopped. `object` begins at the object's first byte and is never
  /// shorter than before; bytes behind the object do no harm.
  /// Returns the size of the object in bytes, or nullopt while its end has not arrived.
  /// Fails with Error::Reserved, TooDeep or TooLarge; every later call then fails alike.
  [[nodiscard]] boost::system::result<std::optional<std::size_t>>
  scan(std::span<const std::byte> object) noexcept;

  /// Bytes the object takes at least: what to make room for. At most Limits::bytes_max.
  [[nodiscard]] std::size_t size_min() const noexcept {
    return static_cast<std::size_t>(nesting_.size_min());
  }

private:
  Nesting nesting_;
  bool begun_ = false;
  std::optional<Error> failed_;
};

} // namespace switchyard::msgpack

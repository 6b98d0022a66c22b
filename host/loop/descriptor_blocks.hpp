#pragma once

#include <host/loop/loop.hpp>

#include <cstddef>

namespace switchyard::host {

/// Has a loop's reactor make what it keeps of a descriptor in blocks. Asio allocates that record
/// with the descriptor, keeps it for later ones and never frees it: made one by one, each would
/// hold the page it shares with a connection that has gone. On its loop.
class DescriptorBlocks {
public:
  explicit DescriptorBlocks(Loop& loop) noexcept : loop_{loop} {}

  /// Makes records for at least `descriptors` open at once. Without a free descriptor it does
  /// nothing: they are made one by one then.
  void reserve(std::size_t descriptors) {
    if (descriptors > reserved_) grow();
  }

  static constexpr std::size_t kBlock = 256;

private:
  void grow();

  Loop& loop_;
  std::size_t reserved_ = 0;
};

} // namespace switchyard::host

#pragma once

#include <proto/msgpack/limits.hpp>

#include <cstdint>

namespace switchyard::raftwire {

/// What one message of a peer may cost. hashicorp/raft itself has no limit.
struct Limits {
  /// One msgpack object. A leader sends up to 64 entries at once, each of any size.
  msgpack::Limits object{.bytes_max = 256U << 20, .depth_max = 16};

  /// hashicorp/raft refuses to be configured for more than 1024.
  std::uint32_t entries_max = 4096;
};

} // namespace switchyard::raftwire

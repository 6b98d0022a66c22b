#pragma once

#include <cstdint>

namespace switchyard::msgpack {

/// No limit on depth can be set higher: it is the size of a table inside every reader.
inline constexpr std::uint32_t kDepthMax = 64;

/// What one object from a peer may cost.
///
/// Every element of an array or map is at least one byte, so a length or a count that cannot end
/// within `bytes_max` is refused as soon as it is declared, before a byte of it has arrived.
struct Limits {
  std::uint32_t bytes_max = 64U << 20; ///< of the whole object
  std::uint32_t depth_max = kDepthMax; ///< arrays and maps inside each other; at most kDepthMax
};

} // namespace switchyard::msgpack

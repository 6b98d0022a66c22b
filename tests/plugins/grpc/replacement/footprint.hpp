#pragma once

#include <cstddef>
#include <string_view>

namespace switchyard::grpc::test {

/// What this process takes of the system, once malloc has given back what is free.
struct Footprint {
  std::size_t resident; ///< kB
  std::size_t heap;     ///< kB that malloc has handed out
  std::size_t threads;
  std::size_t descriptors;

  [[nodiscard]] static Footprint now();
};

/// How many files whose path begins with `prefix` the loader has mapped.
[[nodiscard]] std::size_t objects_mapped(std::string_view prefix);

} // namespace switchyard::grpc::test

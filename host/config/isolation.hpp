#pragma once

#include <cstdint>

namespace switchyard::host {

/// Where the code of a plugin runs (`isolation`).
enum class Isolation : std::uint8_t {
  None,    ///< "none": in this process
  Process, ///< "process": in a process of its own, which gets its connections
};

} // namespace switchyard::host

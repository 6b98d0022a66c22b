#pragma once

#include <cstdint>

namespace switchyard::host {

/// Marks the number of a connection that the host has made itself to try a plugin. No client has
/// it, and it is in no count but that of what its plugin holds.
inline constexpr std::uint64_t kTrialNumber = std::uint64_t{1} << 46;

[[nodiscard]] constexpr bool is_trial(std::uint64_t connection) noexcept {
  return (connection & kTrialNumber) != 0;
}

} // namespace switchyard::host

#pragma once

#include <host/config/config.hpp>
#include <host/plugin/refusal.hpp>
#include <host/swap/course.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace switchyard::host {

/// How many generations of a plugin may have left their code in memory.
inline constexpr std::size_t kRetainedMax = 16;

/// Where a plugin stands when somebody wants it, or one it is related to, swapped.
struct SwapStanding {
  std::string name;
  std::optional<SwapPhase> phase;   ///< of the swap that has not ended
  std::size_t live = 1;             ///< Generations::live()
  std::size_t retained = 0;         ///< Generations::retained()
  std::vector<std::string> leaving; ///< "generation 3 (2 connections)"
  std::string registered_for_good;  ///< interface it has registered with and whose provider cannot
                                    ///< exchange registrations
  std::pair<std::string, std::string> pinned; ///< interface, and the user that wants it so
};

/// Why `plugin` is not to be swapped now; nothing when it may be. `related` use its interfaces or
/// it uses theirs, at first or second hand. Pure.
[[nodiscard]] std::optional<Refusal> not_now(
    const SwapStanding& plugin, std::span<const SwapStanding> related, const SwapConfig& limits);

} // namespace switchyard::host

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace switchyard::host {

/// What a swap does at a time, in this order. Up to Flip the old generation has not noticed.
enum class SwapPhase : std::uint8_t {
  Verify,   ///< copy the file, read what it says of itself
  Plan,     ///< its place among the others
  Probe,    ///< its trial in a child process
  Start,    ///< load, init, start
  Activate, ///< activate, its interfaces, what is registered with them
  Health,   ///< it says several times that it is well
  Answer,   ///< it answers in its protocols, where its manifest says what an answer is
  Flip,     ///< leases and new connections go to it
  Window,   ///< the old one stays ready; the new one is watched
  // How it ends:
  Committed,  ///< the old one leaves
  RolledBack, ///< the old one serves again, the new one leaves
  Failed,     ///< the old one has served all the time, the new one is gone
};

inline constexpr auto kSwapPhases = static_cast<std::size_t>(SwapPhase::Failed) + 1;

enum class SwapEvent : std::uint8_t {
  Done,       ///< the phase has done what it is for; of the window: its time is over
  Refused,    ///< it cannot; of the window: the new one is not well
  TakenBack,  ///< somebody wants the old one back
  Superseded, ///< the same plugin is to be swapped again
  Ending,     ///< the server stops
};

inline constexpr auto kSwapEvents = static_cast<std::size_t>(SwapEvent::Ending) + 1;

/// The word for a phase that has passed ("probed"), or for the end.
[[nodiscard]] std::string_view passed(SwapPhase phase) noexcept;

[[nodiscard]] constexpr bool ended(SwapPhase phase) noexcept {
  return phase >= SwapPhase::Committed;
}

/// What follows `phase` when `event` happens; nothing when the event cannot be, then: before the
/// flip there is nothing to take back or to supersede, and an end is an end. Pure.
[[nodiscard]] std::optional<SwapPhase> after(SwapPhase phase, SwapEvent event) noexcept;

} // namespace switchyard::host

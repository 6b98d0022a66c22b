#include <host/swap/course.hpp>

#include <array>
#include <cstddef>

namespace switchyard::host {

std::string_view passed(SwapPhase phase) noexcept {
  constexpr std::array<std::string_view, kSwapPhases> kWords{
      "verified",
      "planned",
      "probed",
      "started",
      "activated",
      "healthy",
      "answered",
      "flipped",
      "window",
      "committed",
      "rolled back",
      "failed"};
  return kWords[static_cast<std::size_t>(phase)];
}

std::optional<SwapPhase> after(SwapPhase phase, SwapEvent event) noexcept {
  using enum SwapPhase;
  if (ended(phase)) return std::nullopt;
  const auto flipped = phase == Window;
  switch (event) {
  case SwapEvent::Done: return static_cast<SwapPhase>(static_cast<std::uint8_t>(phase) + 1);
  case SwapEvent::Refused: return flipped ? RolledBack : Failed;
  case SwapEvent::TakenBack: return flipped ? std::optional{RolledBack} : std::nullopt;
  case SwapEvent::Superseded: return flipped ? std::optional{Committed} : std::nullopt;
  case SwapEvent::Ending: return flipped ? Committed : Failed;
  }
  return std::nullopt;
}

} // namespace switchyard::host

#pragma once

#include <host/plugin/refusal.hpp>
#include <host/swap/surroundings.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace switchyard::host {

class Instance;
struct Trial;

/// How a conversation of a Trial has ended.
enum class TrialEnd : std::uint8_t {
  Answered,
  Silent, ///< nothing came in time
  Closed, ///< by the other end, and nothing had come
  Wrong,  ///< something else came
};

struct TrialResult {
  TrialEnd end{};
  std::size_t size = 0; ///< of what came
  std::string begin;    ///< of it: what a sentence shows
};

/// Says Trial::send on `socket`, which does not block, and waits for Trial::answer in what comes
/// back, until `until` and for so many bytes at most; then it says that it has no more to say, and
/// gives the other end a moment to close.
[[nodiscard]] TrialResult
converse(int socket, const Trial& trial, std::chrono::steady_clock::time_point until);

inline constexpr std::size_t kTrialReadMax = 65'536;

/// The protocols of `plugin` whose manifest has a trial; empty before Verified.
[[nodiscard]] std::vector<std::string> trials_of(const Instance& plugin);

/// `fresh`, which is active and well, answers in each of them, on a connection that nobody but the
/// host has; within swap.trial_timeout, and within what `paused` has left of swap.pause when it is
/// not 0. Blocks the control thread for so long.
[[nodiscard]] OrRefusal<void> prove_answers(
    const SwapSurroundings& around,
    const Instance& fresh,
    std::chrono::steady_clock::duration paused);

} // namespace switchyard::host

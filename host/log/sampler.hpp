#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard::host {

/// Lets at most so many lines of one kind a second through and counts the others, so that a flood
/// of bad connections cannot fill a disk. Holds a bounded number of kinds; those beyond it count
/// together as "other". Not thread-safe: one a loop. Never reads a clock.
class Sampler {
public:
  using Clock = std::chrono::steady_clock;

  /// Lines of one kind that were held back.
  struct Suppressed {
    std::string kind;
    std::uint64_t lines = 0;

    friend bool operator==(const Suppressed&, const Suppressed&) = default;
  };

  explicit Sampler(std::uint32_t lines_a_second, std::size_t kinds_max = 64)
      : lines_max_{lines_a_second}, kinds_max_{kinds_max} {}

  /// True when a line of this kind may be written at `now`; it is counted either way.
  [[nodiscard]] bool admit(std::string_view kind, Clock::time_point now);

  /// What was held back in seconds that are over at `now`. Each line is told once; call it about
  /// once a second and write one line for each element.
  [[nodiscard]] std::vector<Suppressed> suppressed(Clock::time_point now);

private:
  struct Second {
    Clock::time_point begin;
    std::uint32_t admitted = 0;
    std::uint64_t held_back = 0;
    std::uint64_t untold = 0; ///< held back in seconds before
  };

  Second& second_of(std::string_view kind, Clock::time_point now);

  std::uint32_t lines_max_;
  std::size_t kinds_max_;
  std::map<std::string, Second, std::less<>> kinds_;
};

} // namespace switchyard::host

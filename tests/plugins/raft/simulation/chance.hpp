#pragma once

#include <cstdint>

namespace switchyard::raft::simulation {

/// All chance of a simulation, from one seed (splitmix64).
class Chance {
public:
  explicit Chance(std::uint64_t seed) noexcept : state_{seed} {}

  std::uint64_t operator()() noexcept {
    auto z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  /// From 0 to n - 1.
  std::uint64_t below(std::uint64_t n) noexcept { return (*this)() % n; }

  /// From `least` to `most`.
  std::int64_t between(std::int64_t least, std::int64_t most) noexcept {
    return least + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(most - least + 1)));
  }

  bool of(double probability) noexcept {
    return static_cast<double>((*this)() >> 11) * 0x1p-53 < probability;
  }

private:
  std::uint64_t state_;
};

} // namespace switchyard::raft::simulation

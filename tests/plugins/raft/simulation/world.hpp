#pragma once

#include "chance.hpp"
#include "checker.hpp"

#include <functional>
#include <queue>

namespace switchyard::raft::simulation {

using Nanoseconds = std::int64_t;

inline constexpr Nanoseconds kMicrosecond = 1'000;
inline constexpr Nanoseconds kMillisecond = 1'000'000;
inline constexpr Nanoseconds kSecond = 1'000'000'000;

/// Time, chance, what is going to happen, and the judge. Things that happen at the same time happen
/// in the order in which they were arranged, so that a seed decides everything.
class World {
public:
  explicit World(std::uint64_t seed) : chance{seed} {}

  [[nodiscard]] Nanoseconds now() const noexcept { return now_; }

  void after(Nanoseconds delay, std::function<void()> what) {
    events_.push({now_ + delay, ++arranged_, std::move(what)});
  }

  /// Lets everything happen up to `end`.
  void run_until(Nanoseconds end) {
    while (!events_.empty() && events_.top().time <= end) {
      auto event = std::move(const_cast<Event&>(events_.top()));
      events_.pop();
      now_ = event.time;
      event.what();
    }
    now_ = end;
  }

  /// Mixes what happens into trace().
  void note(std::uint64_t what) noexcept {
    for (const auto value : {what, static_cast<std::uint64_t>(now_)}) {
      trace_ = (trace_ ^ value) * 1099511628211;
    }
  }

  [[nodiscard]] std::uint64_t trace() const noexcept { return trace_; }

  Chance chance;
  Checker checker;

private:
  struct Event {
    Nanoseconds time;
    std::uint64_t order;
    std::function<void()> what;

    bool operator<(const Event& other) const noexcept {
      return std::pair{time, order} > std::pair{other.time, other.order};
    }
  };

  std::priority_queue<Event> events_;
  Nanoseconds now_ = 0;
  std::uint64_t arranged_ = 0;
  std::uint64_t trace_ = 14695981039346656037U;
};

} // namespace switchyard::raft::simulation

#pragma once

#include <plugins/raft/core/action.hpp>

#include <map>

namespace switchyard::raft {

/// Holds actions until what they tell is durable: the only way out for those that depend on a
/// write.
class Gate {
public:
  [[nodiscard]] WriteId issued() const noexcept { return issued_; }

  /// The name of the next write.
  [[nodiscard]] WriteId issue() noexcept { return ++issued_; }

  [[nodiscard]] bool durable(WriteId write) const noexcept { return write <= durable_; }

  /// Puts `action` into `out`, now or once `write` is durable.
  void pass(WriteId write, Action action, std::vector<Action>& out) {
    if (durable(write)) {
      out.push_back(std::move(action));
    } else {
      held_.emplace(write, std::move(action));
    }
  }

  /// Puts into `out` what waited for `write` or one before it.
  void open(WriteId write, std::vector<Action>& out) {
    durable_ = write;
    const auto end = held_.upper_bound(write);
    for (auto held = held_.begin(); held != end; ++held)
      out.push_back(std::move(held->second));
    held_.erase(held_.begin(), end);
  }

  /// Forgets what waits, for good: the write will never be durable.
  [[nodiscard]] std::multimap<WriteId, Action> abandon() noexcept { return std::move(held_); }

private:
  WriteId issued_ = 0;
  WriteId durable_ = 0;
  std::multimap<WriteId, Action> held_;
};

} // namespace switchyard::raft

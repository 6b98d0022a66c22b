#pragma once

#include <host/plugin/generations.hpp>
#include <host/plugin/handed_over.hpp>
#include <host/plugin/refusal.hpp>

#include <chrono>
#include <memory>

namespace switchyard::host {

/// The hand-over of an exclusive plugin from the generation that serves to the candidate, and back.
/// Nobody serves from the begin of forward() until the flip, or the end of back(). The control
/// thread's.
class HandOver {
public:
  using Clock = std::chrono::steady_clock;

  explicit HandOver(Generations& plugin) noexcept : plugin_{plugin} {}

  /// Whether this is how `plugin` is swapped: its serving generation or its candidate is exclusive.
  [[nodiscard]] static bool needed(const Generations& plugin);

  /// Whether the candidate can go on from what the one that serves writes.
  [[nodiscard]] static OrRefusal<void> possible(const Generations& plugin);

  /// Whether a failure after forward() can be undone without reading from disk. Both manifests are
  /// known.
  [[nodiscard]] static bool one_way(const Generations& plugin);

  /// The old one lets go, the new one goes on. On failure back() is next.
  [[nodiscard]] OrRefusal<void> forward();

  /// For how long nobody has served.
  [[nodiscard]] Clock::duration pause() const;

  /// Whether that is not too long.
  [[nodiscard]] OrRefusal<void> in_time(std::chrono::milliseconds limit) const;

  /// The old one goes on: from what the new one gives back, or from what it has written itself, or
  /// from what it finds. Discards the candidate. Does nothing when the old one has not let go.
  [[nodiscard]] OrRefusal<void> back();

private:
  [[nodiscard]] std::shared_ptr<const HandedOver> given_back();

  Generations& plugin_;
  std::shared_ptr<const HandedOver> state_; ///< what the old one has written; null: it goes on
  bool taken_ = false;                      ///< the new one has it
  Clock::time_point begun_{};
};

} // namespace switchyard::host

#pragma once

#include <switchyard/loops.h>

#include <boost/intrusive/set.hpp>

#include <chrono>
#include <cstdint>

namespace switchyard::netrpc {

/// Something that happens at a time unless it is called off. Lives in what it is about; must not be
/// armed when it is destroyed.
class Deadline : public boost::intrusive::set_base_hook<
                     boost::intrusive::link_mode<boost::intrusive::safe_link>> {
public:
  using Fire = void (*)(void* context);

  Deadline(Fire fire, void* context) noexcept : fire_{fire}, context_{context} {}

  [[nodiscard]] bool armed() const noexcept { return is_linked(); }

private:
  friend class Deadlines;

  struct Due {
    using type = std::uint64_t;

    type operator()(const Deadline& deadline) const noexcept { return deadline.due_; }
  };

  std::uint64_t due_ = 0; ///< as sy_loops.now
  Fire fire_;
  void* context_;
};

/// The deadlines of one loop, over one timer of the host. [loop]
class Deadlines {
public:
  Deadlines(const sy_host* host, const sy_loops& loops) noexcept : host_{host}, loops_{loops} {}

  ~Deadlines();
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;

  [[nodiscard]] std::chrono::nanoseconds now() const noexcept {
    return std::chrono::nanoseconds{loops_.now(host_)};
  }

  /// Makes `deadline` fire at or after `due`, as now(); an earlier arming is forgotten.
  void arm(Deadline& deadline, std::chrono::nanoseconds due);

  void arm_after(Deadline& deadline, std::chrono::nanoseconds delay) {
    arm(deadline, now() + delay);
  }

  /// Does nothing for one that is not armed.
  void disarm(Deadline& deadline) noexcept;

  /// Gives the host's timer back. Nothing is armed.
  void stop() noexcept;

private:
  void start_timer();
  static void fired(void* self);

  const sy_host* host_;
  const sy_loops& loops_;
  boost::intrusive::multiset<
      Deadline,
      boost::intrusive::key_of_value<Deadline::Due>,
      boost::intrusive::constant_time_size<false>>
      armed_;
  sy_timer* timer_ = nullptr;
  std::uint64_t timer_due_ =
      0; ///< the timer may be early: what it was started for has been called off
};

} // namespace switchyard::netrpc

#pragma once

#include <switchyard/host.hpp>
#include <switchyard/loops.h>
#include <switchyard/status.hpp>

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <system_error>
#include <utility>

namespace switchyard {

/// The host's event loops. A pointer: copy it. Any thread, except where it says loop.
class Loops {
public:
  explicit Loops(const Host& host) : host_{host}, loops_{&host.require<sy_loops>()} {}

  [[nodiscard]] const Host& host() const noexcept { return host_; }

  [[nodiscard]] const sy_loops& table() const noexcept { return *loops_; }

  [[nodiscard]] std::uint32_t count() const noexcept { return loops_->count; }

  /// The loop of the calling thread, or SY_NO_LOOP.
  [[nodiscard]] std::uint32_t current() const noexcept { return loops_->current(host_.get()); }

  /// Monotonic; what deadlines and timers refer to.
  [[nodiscard]] std::chrono::nanoseconds now() const noexcept {
    return std::chrono::nanoseconds{static_cast<std::int64_t>(loops_->now(host_.get()))};
  }

  /// Runs `work` once on `loop`, later. What it throws is logged. Status::Cancelled once the plugin
  /// has stopped; `work` is destroyed then without having run.
  template <class Work>
  [[nodiscard]] std::error_code post(std::uint32_t loop, Work work) const {
    struct Posted {
      Host host;
      Work work;

      static void run(void* context) noexcept {
        const std::unique_ptr<Posted> self{static_cast<Posted*>(context)};
        logged_at_boundary(self->host, [&] { self->work(); });
      }
    };

    auto posted = std::make_unique<Posted>(Posted{host_, std::move(work)});
    const auto status = loops_->post(host_.get(), loop, &Posted::run, posted.get());
    if (status == SY_OK) static_cast<void>(posted.release());
    return to_error_code(status);
  }

private:
  Host host_;
  const sy_loops* loops_;
};

/// Calls a function of its owner once at a time. It stays where it is, as the host knows its
/// address. Its loop only.
class Timer {
public:
  Timer(const Loops& loops, sy_callback fire, void* context) noexcept
      : loops_{loops}, fire_{fire}, context_{context} {}

  ~Timer() { stop(); }

  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  /// Calls at or after `due` (as Loops::now()), in place of an earlier start that has not fired.
  [[nodiscard]] std::error_code start(std::chrono::nanoseconds due) noexcept {
    stop();
    return to_error_code(loops_.table().start_timer(
        loops_.host().get(),
        static_cast<std::uint64_t>(due.count()),
        &Timer::fired,
        this,
        &timer_));
  }

  /// The function is not called any more.
  void stop() noexcept {
    if (auto* timer = std::exchange(timer_, nullptr)) {
      loops_.table().stop_timer(loops_.host().get(), timer);
    }
  }

  [[nodiscard]] bool running() const noexcept { return timer_ != nullptr; }

private:
  static void fired(void* context) noexcept {
    auto& self = *static_cast<Timer*>(context);
    self.timer_ = nullptr;
    self.fire_(self.context_); // may destroy the timer
  }

  Loops loops_;
  sy_callback fire_;
  void* context_;
  sy_timer* timer_ = nullptr;
};

/// `co_await Until{loops, due}` waits until `due` (as Loops::now()). A loop's coroutine only.
class [[nodiscard]] Until {
public:
  Until(const Loops& loops, std::chrono::nanoseconds due) noexcept
      : timer_{loops, &Until::fired, this}, due_{due} {}

  [[nodiscard]] bool await_ready() const noexcept { return false; }

  bool await_suspend(std::coroutine_handle<> waiting) noexcept {
    waiting_ = waiting;
    error_ = timer_.start(due_);
    return !error_;
  }

  [[nodiscard]] std::error_code await_resume() const noexcept { return error_; }

private:
  static void fired(void* context) noexcept { static_cast<Until*>(context)->waiting_.resume(); }

  Timer timer_;
  std::chrono::nanoseconds due_;
  std::coroutine_handle<> waiting_;
  std::error_code error_;
};

} // namespace switchyard

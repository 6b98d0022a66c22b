#pragma once

#include <switchyard/connection.hpp>
#include <switchyard/host.hpp>
#include <switchyard/pump.h>

#include <chrono>
#include <coroutine>
#include <utility>

namespace switchyard::host {

/// `co_await Pump{…}` copies between two connections of one loop until both sides have finished, as
/// sy_pump_start says. Destroying the coroutine ends both.
class [[nodiscard]] Pump {
public:
  Pump(
      Host host,
      switchyard::Connection wire,
      switchyard::Connection inner,
      std::chrono::nanoseconds linger) noexcept
      : host_{host}, wire_{std::move(wire)}, inner_{std::move(inner)}, linger_{linger} {}

  ~Pump() {
    if (pump_ != nullptr) sy_pump_stop(pump_, SY_CLOSE_DRAINED);
  }

  Pump(const Pump&) = delete;
  Pump& operator=(const Pump&) = delete;

  [[nodiscard]] bool await_ready() const noexcept { return false; }

  bool await_suspend(std::coroutine_handle<> waiting) noexcept {
    waiting_ = waiting;
    const auto linger = static_cast<std::uint64_t>(linger_.count());
    return sy_pump_start(
               host_.get(), wire_.release(), inner_.release(), linger, &ended, this, &pump_) ==
           SY_OK;
  }

  void await_resume() const noexcept {}

private:
  static void ended(void* context) noexcept {
    auto& self = *static_cast<Pump*>(context);
    self.pump_ = nullptr;
    self.waiting_.resume();
  }

  Host host_;
  switchyard::Connection wire_;
  switchyard::Connection inner_;
  std::chrono::nanoseconds linger_;
  std::coroutine_handle<> waiting_;
  sy_pump* pump_ = nullptr;
};

} // namespace switchyard::host

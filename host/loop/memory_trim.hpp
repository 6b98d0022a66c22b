#pragma once

#include <host/loop/loop.hpp>
#include <host/loop/trim_policy.hpp>

#include <boost/asio/basic_waitable_timer.hpp>

#include <cstddef>

namespace switchyard::host {

/// Gives back to the system what connections have freed, once many of them have gone: by itself the
/// allocator does so at the end of its heap only. At most once a second. On its loop.
class MemoryTrim {
public:
  explicit MemoryTrim(Loop& loop) : timer_{loop.executor()} {}

  void opened() noexcept { policy_.opened(); }

  void ended() {
    policy_.ended();
    if (!armed_ && policy_.due()) arm();
  }

  /// Opened and not ended.
  [[nodiscard]] std::size_t open() const noexcept { return policy_.open(); }

private:
  using Timer = boost::asio::
      basic_waitable_timer<Loop::Clock, boost::asio::wait_traits<Loop::Clock>, Loop::Executor>;

  void arm();

  TrimPolicy policy_;
  Timer timer_;
  bool armed_ = false;
};

} // namespace switchyard::host

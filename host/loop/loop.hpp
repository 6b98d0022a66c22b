#pragma once

#include <host/loop/spin_policy.hpp>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <thread>

namespace switchyard::host {

/// One event loop: an io_context and the one thread that runs it. A connection stays on the loop
/// that accepted it, so what belongs to a connection needs no lock.
class Loop {
public:
  using Executor = boost::asio::io_context::executor_type;
  using Clock = std::chrono::steady_clock;

  /// `spin`: how long the thread polls after its last work before it sleeps. Polling answers a peer
  /// that sends one request at a time sooner; an idle loop sleeps.
  Loop(std::uint32_t index, std::chrono::microseconds spin);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  [[nodiscard]] std::uint32_t index() const noexcept { return index_; }

  [[nodiscard]] boost::asio::io_context& context() noexcept { return context_; }

  [[nodiscard]] Executor executor() noexcept { return context_.get_executor(); }

  /// The loop whose thread this is; null elsewhere.
  [[nodiscard]] static Loop* current() noexcept;

  /// Says that another thread of this process goes on with what this turn did, or has begun it: the
  /// loop does not poll after it. On the loop.
  void share_turn() noexcept { shared_ = true; }

  /// Changes how long it polls. On the loop.
  void set_spin(std::chrono::microseconds spin) noexcept { policy_ = SpinPolicy{spin}; }

  /// Starts the thread. Once.
  void start();

  /// Ends the thread after what it is doing now, and waits for it. Work that is left is not run.
  /// Not from the loop itself.
  void stop();

private:
  void run();

  const std::uint32_t index_;
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<Executor> work_{context_.get_executor()};
  std::thread thread_;
  SpinPolicy policy_;
  bool shared_ = false; // the turn that runs
};

} // namespace switchyard::host

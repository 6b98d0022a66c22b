#pragma once

#include <host/connection/connection.hpp>
#include <host/loop/loop.hpp>

#include <boost/asio/basic_waitable_timer.hpp>

#include <chrono>

namespace switchyard::host {

/// Expires connections whose protocol is not known in time. The limit is the same for all, so they
/// stand in the order of their deadlines almost by themselves, and one timer serves them. One
/// loop's.
class OpeningDeadlines {
public:
  OpeningDeadlines(Loop& loop, std::chrono::milliseconds limit);

  /// For connections from now on.
  void set_limit(std::chrono::milliseconds limit) noexcept { limit_ = limit; }

  /// Counts from now. The connection leaves with leave_opening() or by being closed.
  void add(Connection& connection);

  [[nodiscard]] bool empty() const noexcept { return opening_.empty(); }

  /// One of them has sent bytes that nobody has read yet.
  [[nodiscard]] bool any_readable();

  /// Expires all of them now: the server ends.
  void expire_all();

  /// What expires them: their deadline, or from expire_all() on the end of the server.
  [[nodiscard]] CloseReason reason() const noexcept {
    return ending_ ? CloseReason::Drained : CloseReason::OpeningTimeout;
  }

private:
  using Timer = boost::asio::
      basic_waitable_timer<Loop::Clock, boost::asio::wait_traits<Loop::Clock>, Loop::Executor>;

  void arm();

  std::chrono::milliseconds limit_;
  Timer timer_;
  bool armed_ = false;
  bool ending_ = false;
  Connection::Opening opening_;
};

} // namespace switchyard::host

#pragma once

#include <host/loop/loop.hpp>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/system/result.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

namespace switchyard::host {

/// A connection the kernel has accepted: a non-blocking socket that is the taker's now.
struct Accepted {
  int socket;
  boost::asio::ip::tcp::endpoint peer;
};

/// One loop's share of a listener: a socket of its own on the same address (SO_REUSEPORT), or its
/// share of a socket that outlives the process. Used on its loop once it has been started.
class Acceptor {
public:
  /// Called on the loop for each connection.
  using OnAccept = std::function<void(Accepted)>;

  /// Called on the loop when the connection of `peer` was turned away because no descriptor is
  /// left.
  using OnShortage = std::function<void(const boost::asio::ip::tcp::endpoint& peer)>;

  /// What keeps `address` from being this process's alone; address_in_use when somebody listens
  /// there. bind() does not notice that: SO_REUSEPORT lets every server of a user share a port.
  [[nodiscard]] static boost::system::error_code
  try_alone(const boost::asio::ip::tcp::endpoint& address);

  /// Binds and listens. Fails with what bind or listen say.
  static boost::system::result<std::unique_ptr<Acceptor>>
  bind(Loop& loop, const boost::asio::ip::tcp::endpoint& address);

  /// Accepts from `socket`, which listens and stays open when this is closed.
  static boost::system::result<std::unique_ptr<Acceptor>> share(Loop& loop, int socket);

  ~Acceptor();

  /// Where it is bound, or was until it was closed: the port that 0 became. Any thread.
  [[nodiscard]] const boost::asio::ip::tcp::endpoint& local_endpoint() const noexcept {
    return local_endpoint_;
  }

  /// How many connections it has taken from the kernel. Any thread.
  [[nodiscard]] std::uint64_t accepted() const noexcept {
    return accepted_.load(std::memory_order_relaxed);
  }

  /// Begins to accept. Any thread, once.
  void start(OnAccept on_accept, OnShortage on_shortage);

  /// Takes what is in the accept queue, then closes the socket; the second time does nothing. What
  /// waits at a shared one is left to whoever comes next. On the loop.
  void drain_and_close();

  /// Descriptors kept free of accepted connections, so that files, plugins and accept itself work
  /// on.
  static constexpr std::uint32_t kReserve = 64;

private:
  using Descriptor = boost::asio::posix::basic_stream_descriptor<Loop::Executor>;
  using Timer = boost::asio::
      basic_waitable_timer<Loop::Clock, boost::asio::wait_traits<Loop::Clock>, Loop::Executor>;

  enum class Queued : std::uint8_t { Ours, Shared };

  Acceptor(Loop& loop, int socket, Queued queued);

  enum class Queue : std::uint8_t { Empty, More, Starved };

  void wait();
  int accept(boost::asio::ip::tcp::endpoint& peer);
  Queue accept_some(int limit);
  bool turn_one_away();
  void close_share();

  Descriptor socket_;
  const Queued queued_;
  boost::asio::ip::tcp::endpoint local_endpoint_;
  int spare_ = -1; // given up for a moment to accept, and close, one connection too many
  Timer pause_;
  std::atomic<std::uint64_t> accepted_{0};
  OnAccept on_accept_;
  OnShortage on_shortage_;
};

} // namespace switchyard::host

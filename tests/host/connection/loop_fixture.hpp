#pragma once

#include <host/connection/owner.hpp>

#include <boost/asio/post.hpp>
#include <sys/socket.h>

#include <csignal>
#include <future>
#include <stdexcept>
#include <unistd.h>
#include <utility>

namespace switchyard::host {

/// A running loop with a connection owner, and what a test needs to act on it.
class LoopFixture {
public:
  /// Runs `task` on the loop and waits for it.
  template <class Task>
  auto run(Task task) {
    std::packaged_task<decltype(task())()> packaged{std::move(task)};
    auto result = packaged.get_future();
    boost::asio::post(loop_.executor(), [&packaged] { packaged(); });
    return result.get();
  }

  LoopFixture() : owner_{loop_} {
    std::signal(SIGPIPE, SIG_IGN); // as the host does: OpenSSL writes to sockets that may be closed
    loop_.start();
  }

  ~LoopFixture() {
    run([this] { owner_.close_all(CloseReason::Drained); });
    loop_.stop();
  }

  [[nodiscard]] Loop& loop() noexcept { return loop_; }

  [[nodiscard]] ConnectionOwner& owner() noexcept { return owner_; }

  [[nodiscard]] std::uint64_t closed(CloseReason reason) {
    return owner_.counters().closed[static_cast<std::size_t>(reason)];
  }

private:
  Loop loop_{0, std::chrono::microseconds{0}};
  ConnectionOwner owner_;
};

/// Two connected stream sockets; closed with it unless taken.
class SocketPair {
public:
  SocketPair() {
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_) != 0)
      throw std::runtime_error{"socketpair"};
  }

  ~SocketPair() {
    for (const int end : ends_) {
      if (end >= 0) ::close(end);
    }
  }

  SocketPair(const SocketPair&) = delete;
  SocketPair& operator=(const SocketPair&) = delete;

  [[nodiscard]] int take(int end) noexcept { return std::exchange(ends_[end], -1); }

  void close(int end) noexcept { ::close(take(end)); }

private:
  int ends_[2] = {-1, -1};
};

/// How an operation ended; wait() returns when it has.
class Ended {
public:
  static void done(void* context, sy_status status, std::size_t transferred) {
    static_cast<Ended*>(context)->promise_.set_value({status, transferred});
  }

  [[nodiscard]] std::pair<sy_status, std::size_t> wait() { return promise_.get_future().get(); }

private:
  std::promise<std::pair<sy_status, std::size_t>> promise_;
};

} // namespace switchyard::host

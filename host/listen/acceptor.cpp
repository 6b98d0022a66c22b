#include <host/listen/acceptor.hpp>

#include <boost/asio/post.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace switchyard::host {

namespace net = boost::asio;

namespace {

// A turn of the loop accepts no more than this, so that a flood leaves time for those who are in.
constexpr int kAcceptsPerTurn = 64;

// How long accepting rests when not even a turned-away connection gets a descriptor.
constexpr std::chrono::milliseconds kPause{100};

boost::system::error_code last_error() {
  return {errno, boost::system::system_category()};
}

int open_spare() {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/// A socket for `address`, -1 with errno when there is none.
int open_socket(const net::ip::tcp::endpoint& address) {
  const int socket = ::socket(
      address.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (socket < 0) return socket;
  const int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.protocol() == net::ip::tcp::v6())
    ::setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  return socket;
}

/// What sockets accepted from `socket` are to have.
void pass_on_options(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

} // namespace

Acceptor::Acceptor(Loop& loop, int socket, Queued queued)
    : socket_{loop.executor(), socket},
      queued_{queued},
      spare_{open_spare()},
      pause_{loop.executor()} {
  auto size = static_cast<socklen_t>(local_endpoint_.capacity());
  if (::getsockname(socket, local_endpoint_.data(), &size) == 0) local_endpoint_.resize(size);
}

Acceptor::~Acceptor() {
  close_share();
  if (spare_ >= 0) ::close(spare_);
}

boost::system::error_code Acceptor::try_alone(const net::ip::tcp::endpoint& address) {
  const int socket = open_socket(address);
  if (socket < 0) return last_error();
  boost::system::error_code error;
  if (::bind(socket, address.data(), static_cast<socklen_t>(address.size())) != 0)
    error = last_error();
  ::close(socket);
  return error;
}

boost::system::result<std::unique_ptr<Acceptor>>
Acceptor::bind(Loop& loop, const net::ip::tcp::endpoint& address) {
  const int socket = open_socket(address);
  if (socket < 0) return last_error();
  const int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  pass_on_options(socket);
  if (::bind(socket, address.data(), static_cast<socklen_t>(address.size())) != 0 ||
      ::listen(socket, SOMAXCONN) != 0) {
    const auto error = last_error();
    ::close(socket);
    return error;
  }
  return std::unique_ptr<Acceptor>{new Acceptor{loop, socket, Queued::Ours}};
}

boost::system::result<std::unique_ptr<Acceptor>> Acceptor::share(Loop& loop, int socket) {
  const int duplicate = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
  if (duplicate < 0) return last_error();
  pass_on_options(duplicate);
  return std::unique_ptr<Acceptor>{new Acceptor{loop, duplicate, Queued::Shared}};
}

void Acceptor::start(OnAccept on_accept, OnShortage on_shortage) {
  on_accept_ = std::move(on_accept);
  on_shortage_ = std::move(on_shortage);
  net::post(socket_.get_executor(), [this] { wait(); });
}

void Acceptor::wait() {
  socket_.async_wait(Descriptor::wait_read, [this](boost::system::error_code error) {
    if (error) return; // closed
    if (accept_some(kAcceptsPerTurn) != Queue::Starved) return wait();
    pause_.expires_after(kPause);
    pause_.async_wait([this](boost::system::error_code cancelled) {
      if (!cancelled) wait();
    });
  });
}

/// The next connection and where it comes from; -1 with errno when there is none.
int Acceptor::accept(net::ip::tcp::endpoint& peer) {
  auto size = static_cast<socklen_t>(peer.capacity());
  const int socket =
      ::accept4(socket_.native_handle(), peer.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (socket < 0) return socket;
  peer.resize(size);
  accepted_.fetch_add(1, std::memory_order_relaxed);
  return socket;
}

Acceptor::Queue Acceptor::accept_some(int limit) {
  net::ip::tcp::endpoint peer;
  for (int i = 0; i < limit; ++i) {
    if (const int socket = accept(peer); socket >= 0) {
      on_accept_({socket, peer});
      continue;
    }
    switch (errno) {
    case EAGAIN: return Queue::Empty;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      if (!turn_one_away()) return Queue::Starved;
      break;
    default: break; // the connection was gone before it was accepted (accept(2), "Error handling")
    }
  }
  return Queue::More;
}

bool Acceptor::turn_one_away() {
  if (spare_ < 0) spare_ = open_spare();
  if (spare_ < 0) return false;
  ::close(spare_);
  net::ip::tcp::endpoint peer;
  const int socket = accept(peer);
  const bool turned_away = socket >= 0;
  if (turned_away) {
    ::close(socket);
    on_shortage_(peer);
  }
  spare_ = open_spare();
  return turned_away;
}

/// A close alone would leave it in the reactor's epoll set, for others have the same socket.
void Acceptor::close_share() {
  if (queued_ == Queued::Shared && socket_.is_open()) ::close(socket_.release());
}

void Acceptor::drain_and_close() {
  if (!socket_.is_open()) return;
  // The queue holds one more than it was asked to, and no more; those who go on connecting cannot
  // prolong it. Before start() nobody takes them.
  if (on_accept_ && queued_ == Queued::Ours) accept_some(SOMAXCONN + 1);
  close_share();
  boost::system::error_code ignored; // nothing can be done about a close that fails
  socket_.close(ignored);
  pause_.cancel();
}

} // namespace switchyard::host

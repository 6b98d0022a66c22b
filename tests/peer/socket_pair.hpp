#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace switchyard::peer {

/// One end of a connection that a test drives by hand; blocking.
class Socket {
public:
  explicit Socket(int descriptor) noexcept : descriptor_{descriptor} {}

  Socket(Socket&& other) noexcept : descriptor_{std::exchange(other.descriptor_, -1)} {}

  Socket& operator=(Socket&&) = delete;

  ~Socket() { close(); }

  [[nodiscard]] int get() const noexcept { return descriptor_; }

  [[nodiscard]] int release() noexcept { return std::exchange(descriptor_, -1); }

  void close() noexcept {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }

  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0) throw std::system_error{errno, std::generic_category(), "send"};
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  /// Sends `byte` until the other side takes no more; returns how many went.
  [[nodiscard]] std::size_t fill(char byte) const {
    const std::string block(4096, byte);
    std::size_t total = 0;
    for (;;) {
      const auto sent =
          ::send(descriptor_, block.data(), block.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0) return total;
      total += static_cast<std::size_t>(sent);
    }
  }

  void finish() const noexcept { ::shutdown(descriptor_, SHUT_WR); }

  /// Waits for `size` bytes; fewer when the other side ends first.
  [[nodiscard]] std::string receive(std::size_t size) const {
    std::string bytes(size, '\0');
    const auto got = ::recv(descriptor_, bytes.data(), size, MSG_WAITALL);
    bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return bytes;
  }

  /// Waits for the end of the connection; what came before it.
  [[nodiscard]] std::string receive_all() const {
    std::string bytes;
    for (char chunk[4096];;) {
      const auto got = ::recv(descriptor_, chunk, sizeof chunk, 0);
      if (got <= 0) return bytes;
      bytes.append(chunk, static_cast<std::size_t>(got));
    }
  }

private:
  int descriptor_;
};

[[nodiscard]] inline std::pair<Socket, Socket> socket_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    throw std::system_error{errno, std::generic_category(), "socketpair"};
  }
  return {Socket{ends[0]}, Socket{ends[1]}};
}

} // namespace switchyard::peer

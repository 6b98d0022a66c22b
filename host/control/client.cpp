#include "client.hpp"

#include "socket_address.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/system/error_code.hpp>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace switchyard::host {
namespace {

using Kind = ControlFailure::Kind;

constexpr std::size_t kAnswerBytesMax = 64 << 20;

/// A descriptor that is closed at the end.
class Socket {
public:
  Socket() : descriptor_{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)} {}

  ~Socket() { close(descriptor_); }

  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  [[nodiscard]] int get() const noexcept { return descriptor_; }

private:
  int descriptor_;
};

ControlFailure cannot_connect(const std::string& path) {
  if (errno == EACCES || errno == EPERM) {
    return {Kind::Refused, "the control socket " + path + " belongs to another user"};
  }
  if (errno == ENOENT || errno == ECONNREFUSED) {
    return {
        Kind::NoServer,
        "no server answers at " + path +
            ": is it running? Start it with \"switchyard serve\", or name its socket with "
            "--socket"};
  }
  const boost::system::error_code error{errno, boost::system::system_category()};
  return {Kind::NoServer, "no server answers at " + path + ": " + error.message()};
}

/// errno after a send or a receive that failed or ran into the timeout.
ControlFailure no_answer(const std::string& path) {
  const boost::system::error_code error{errno, boost::system::system_category()};
  const auto late = errno == EAGAIN || errno == EWOULDBLOCK;
  return {
      Kind::NoServer,
      "the server at " + path +
          " does not answer: " + (late ? "it takes too long" : error.message())};
}

bool limit_to(std::chrono::milliseconds timeout, int descriptor) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
  const timeval limit{
      seconds.count(),
      std::chrono::duration_cast<std::chrono::microseconds>(timeout - seconds).count()};
  return setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0 &&
         setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0;
}

bool send_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

/// Takes the next line, with its end, from the front of `bytes`, which it fills. False when that
/// fails; what comes before an end of the connection is given as it is.
bool receive_line(int descriptor, std::string& bytes, std::string& line) {
  char chunk[16 * 1024];
  for (;;) {
    const auto end = bytes.find('\n');
    if (end != std::string::npos || bytes.size() >= kAnswerBytesMax) {
      line = bytes.substr(0, end == std::string::npos ? end : end + 1);
      bytes.erase(0, line.size());
      return true;
    }
    const auto received = recv(descriptor, chunk, sizeof chunk, 0);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0) return false;
    if (received == 0) {
      line = std::exchange(bytes, {});
      return true;
    }
    bytes.append(chunk, static_cast<std::size_t>(received));
  }
}

} // namespace

boost::system::result<boost::json::object, ControlFailure>
ask(const std::string& path,
    const boost::json::object& request,
    std::chrono::milliseconds timeout) {
  return follow(
      path, request, [](const boost::json::object&) {}, timeout);
}

boost::system::result<boost::json::object, ControlFailure> follow(
    const std::string& path,
    const boost::json::object& request,
    const std::function<void(const boost::json::object& line)>& told,
    std::chrono::milliseconds timeout) {
  const auto address = socket_address(path);
  if (!address) return ControlFailure{Kind::NoServer, address.error()};

  const Socket socket;
  if (!limit_to(timeout, socket.get()) ||
      connect(socket.get(), address->get(), sizeof(sockaddr_un)) != 0) {
    return cannot_connect(path);
  }

  // A server that refuses answers before it has read everything: what it says counts more.
  const auto sent = send_all(socket.get(), boost::json::serialize(request) + "\n");
  for (std::string bytes, line;;) {
    if (!receive_line(socket.get(), bytes, line) || (line.empty() && !sent)) return no_answer(path);
    boost::system::error_code malformed;
    const auto value = boost::json::parse(line, malformed);
    if (malformed || !value.is_object() || line.back() != '\n') {
      return ControlFailure{Kind::NoServer, "what answers at " + path + " is no switchyard"};
    }
    const auto& object = value.get_object();
    if (object.contains("phase")) {
      told(object);
      continue;
    }
    if (const auto* error = object.if_contains("error"); error != nullptr && error->is_string()) {
      return ControlFailure{Kind::Refused, std::string{error->get_string()}};
    }
    return object;
  }
}

} // namespace switchyard::host

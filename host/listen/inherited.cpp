#include <host/listen/endpoint.hpp>
#include <host/listen/inherited.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace switchyard::host {
namespace {

constexpr int kFirst = 3; ///< SD_LISTEN_FDS_START
constexpr int kMost = 1'024;

/// The variable as a number; -1 when it is none.
int number_of(const char* variable) {
  const char* const text = std::getenv(variable);
  if (text == nullptr) return -1;
  int number = -1;
  const std::string_view whole{text};
  const auto read = std::from_chars(whole.data(), whole.data() + whole.size(), number);
  return read.ec == std::errc{} && read.ptr == whole.data() + whole.size() ? number : -1;
}

/// Takes the first of names that colons part.
std::string next_name(std::string_view& names) {
  const auto end = std::min(names.find(':'), names.size());
  std::string name{names.substr(0, end)};
  names.remove_prefix(std::min(end + 1, names.size()));
  return name;
}

int option(int descriptor, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(descriptor, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

} // namespace

boost::system::result<Inherited, std::string> Inherited::take() {
  const auto meant = number_of("LISTEN_PID");
  const auto count = number_of("LISTEN_FDS");
  const char* const names = std::getenv("LISTEN_FDNAMES");
  const std::string names_kept = names != nullptr ? names : "";
  for (const auto* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"})
    ::unsetenv(variable);
  Inherited taken;
  if (meant != ::getpid()) return taken;
  if (count < 0 || count > kMost) return "LISTEN_FDS is no number of sockets, 0 to 1024";
  std::string_view left = names_kept;
  for (int descriptor = kFirst; descriptor < kFirst + count; ++descriptor) {
    auto socket = look_at(descriptor, next_name(left));
    if (!socket) {
      return "descriptor " + std::to_string(descriptor) +
             ", which LISTEN_FDS passes, is no listening TCP socket: correct the socket unit";
    }
    taken.sockets_.push_back(*std::move(socket));
  }
  return taken;
}

std::optional<Inherited::Socket> Inherited::look_at(int descriptor, std::string name) {
  Socket socket{descriptor, std::move(name), {}};
  auto size = static_cast<socklen_t>(socket.address.capacity());
  if (::getsockname(descriptor, socket.address.data(), &size) != 0) return std::nullopt;
  const auto family = option(descriptor, SO_DOMAIN);
  if (family != AF_INET && family != AF_INET6) return std::nullopt;
  if (option(descriptor, SO_TYPE) != SOCK_STREAM || option(descriptor, SO_ACCEPTCONN) != 1)
    return std::nullopt;
  socket.address.resize(size);
  ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) | O_NONBLOCK);
  return socket;
}

std::vector<int> Inherited::of(const ListenerConfig& listener) const {
  const auto wanted = parse_endpoint(listener.address);
  std::vector<int> found;
  for (const auto& socket : sockets_) {
    if (wanted == socket.address) found.push_back(socket.descriptor);
  }
  return found;
}

std::vector<std::string> Inherited::without_listener(const Config& config) const {
  std::vector<std::string> sentences;
  for (const auto& socket : sockets_) {
    const auto has = [&](const ListenerConfig& listener) {
      return parse_endpoint(listener.address) == socket.address;
    };
    if (std::ranges::any_of(config.listeners, has)) continue;
    sentences.push_back(
        config.file + ": no listener has the address " + to_string(socket.address) +
        " of socket '" + socket.name + "', which LISTEN_FDS passes: correct one of the two");
  }
  return sentences;
}

} // namespace switchyard::host

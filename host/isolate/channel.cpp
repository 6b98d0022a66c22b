#include <host/isolate/channel.hpp>

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace switchyard::host {
namespace {

/// Room for one descriptor, aligned as its header wants it.
union Rights {
  cmsghdr align;
  std::array<char, CMSG_SPACE(sizeof(int))> bytes;
};

} // namespace

Channel::Pair Channel::pair() {
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return {};
  return {Channel{FileDescriptor{ends[0]}}, Channel{FileDescriptor{ends[1]}}};
}

Channel::Sent Channel::send(const Message& message, int descriptor) const {
  const auto bytes = encode(message);
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  Rights rights{};
  if (descriptor >= 0) {
    header.msg_control = rights.bytes.data();
    header.msg_controllen = rights.bytes.size();
    auto* control = CMSG_FIRSTHDR(&header);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(sizeof descriptor);
    std::memcpy(CMSG_DATA(control), &descriptor, sizeof descriptor);
  }
  for (;;) {
    if (::sendmsg(socket_.get(), &header, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return Sent::Whole;
    if (errno == EINTR) continue;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ? Sent::Later : Sent::Never;
  }
}

Channel::Received Channel::receive() const {
  std::array<char, kMessageMax> bytes; // NOLINT: as far as the kernel fills it
  iovec part{bytes.data(), bytes.size()};
  Rights rights{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = rights.bytes.data();
  header.msg_controllen = CMSG_LEN(sizeof(int)); // the kernel hands out no second one
  ssize_t size = -1;
  do {
    size = ::recvmsg(socket_.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);

  Received received;
  if (size < 0) {
    const auto nothing = errno == EAGAIN || errno == EWOULDBLOCK;
    received.heard = nothing ? Heard::Nothing : Heard::End;
    return received;
  }
  for (auto* control = CMSG_FIRSTHDR(&header); control != nullptr;
       control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) continue;
    int number = -1;
    std::memcpy(&number, CMSG_DATA(control), sizeof number);
    received.descriptor = FileDescriptor{number};
  }
  if (size == 0) {
    received.heard = Heard::End; // no message is empty
    return received;
  }
  auto message = decode({bytes.data(), static_cast<std::size_t>(size)});
  if (!message || (header.msg_flags & MSG_TRUNC) != 0) {
    received.heard = Heard::Fault;
    return received;
  }
  received.heard = Heard::Whole;
  received.message = *std::move(message);
  return received;
}

} // namespace switchyard::host

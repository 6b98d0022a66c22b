#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <tests/peer/fake_connection.hpp>
#include <tests/peer/fake_loop.hpp>

#include <cerrno>
#include <cstring>

namespace switchyard::peer {

namespace {

FakeConnection& from(sy_connection* connection) {
  auto& fake = *static_cast<FakeConnection*>(connection);
  EXPECT_EQ(fake.loop, FakeLoop::current()) << "a connection was used off its loop";
  return fake;
}

sy_status from_errno() {
  return errno == EAGAIN || errno == EWOULDBLOCK ? SY_AGAIN : SY_CLOSED;
}

sy_status try_read(sy_connection* c, void* buffer, std::size_t capacity, std::size_t* transferred) {
  EXPECT_GT(capacity, 0u);
  const auto got = ::recv(from(c).socket, buffer, capacity, MSG_DONTWAIT);
  if (got < 0) return from_errno();
  *transferred = static_cast<std::size_t>(got);
  return SY_OK;
}

sy_status start_read(sy_connection* c, FakeConnection::Read read) {
  auto& fake = from(c);
  if (fake.read) return SY_BUSY;
  fake.read = read;
  return SY_OK;
}

sy_status wait_readable(sy_connection* c, sy_io_done done, void* context) {
  return start_read(c, {nullptr, 0, done, context});
}

sy_status
read_some(sy_connection* c, void* buffer, std::size_t capacity, sy_io_done done, void* context) {
  EXPECT_GT(capacity, 0u);
  return start_read(c, {buffer, capacity, done, context});
}

sy_status
try_write(sy_connection* c, const sy_bytes* slices, std::size_t count, std::size_t* transferred) {
  auto& fake = from(c);
  if (fake.write) return SY_BUSY;
  return write_some(fake.socket, slices, count, *transferred);
}

sy_status
write(sy_connection* c, const sy_bytes* slices, std::size_t count, sy_io_done done, void* context) {
  auto& fake = from(c);
  if (fake.write) return SY_BUSY;
  fake.write = FakeConnection::Write{{slices, slices + count}, 0, done, context};
  return SY_OK;
}

sy_status shutdown_write(sy_connection* c) {
  return ::shutdown(from(c).socket, SHUT_WR) == 0 ? SY_OK : SY_CLOSED;
}

void cancel(sy_connection* c) {
  auto& fake = from(c);
  fake.cancelled = fake.read || fake.write;
}

void close(sy_connection* c, sy_close_reason reason) {
  auto& fake = from(c);
  fake.loop->close(fake, reason);
}

sy_status describe(sy_connection* c, sy_connection_info* info) {
  auto& fake = from(c);
  info->id = fake.id;
  info->tls = fake.tls ? 1 : 0;
  info->tag = 14;
  std::strcpy(info->remote, kFakeRemote);
  if (fake.tls) info->peer_names = {kFakePeerName, std::strlen(kFakePeerName)};
  return SY_OK;
}

sy_status detach(sy_connection* c, sy_descriptor* descriptor) {
  auto& fake = from(c);
  if (fake.tls) return SY_UNSUPPORTED;
  if (fake.read || fake.write) return SY_BUSY;
  descriptor->descriptor = fake.socket;
  descriptor->id = fake.id;
  fake.loop->release(fake);
  return SY_OK;
}

} // namespace

sy_status write_some(int socket, const sy_bytes* slices, std::size_t count, std::size_t& written) {
  EXPECT_LE(count, static_cast<std::size_t>(SY_SLICES_MAX));
  std::vector<iovec> parts;
  for (std::size_t i = 0; i < count; ++i) {
    parts.push_back({const_cast<void*>(slices[i].data), slices[i].size});
  }
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  const auto sent = ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0) return from_errno();
  written = static_cast<std::size_t>(sent);
  return SY_OK;
}

const sy_connection_api kFakeConnectionApi{
    sizeof(sy_connection_api),
    0,
    try_read,
    wait_readable,
    read_some,
    try_write,
    write,
    shutdown_write,
    cancel,
    close,
    describe,
    detach};

} // namespace switchyard::peer

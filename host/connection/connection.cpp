#include <host/connection/api.hpp>
#include <host/connection/connection.hpp>
#include <host/connection/owner.hpp>
#include <host/crash/boundary.hpp>

#include <arpa/inet.h>
#include <boost/asio/post.hpp>
#include <boost/assert.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <unistd.h>
#include <utility>

namespace switchyard::host {

namespace {

// Small slices are gathered into one TLS record; a record holds 16 KiB at most (RFC 8446, 5.1).
constexpr std::size_t kTlsRecordMax = 16'384;

sy_status from_errno() {
  return errno == EAGAIN || errno == EWOULDBLOCK ? SY_AGAIN : SY_CLOSED;
}

void format_address(const sockaddr_storage& address, char (&text)[64]) {
  char host[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof in);
    ::inet_ntop(AF_INET, &in.sin_addr, host, sizeof host);
    std::snprintf(text, sizeof text, "%s:%u", host, ntohs(in.sin_port));
  } else if (address.ss_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &address, sizeof in);
    ::inet_ntop(AF_INET6, &in.sin6_addr, host, sizeof host);
    std::snprintf(text, sizeof text, "[%s]:%u", host, ntohs(in.sin6_port));
  } else {
    text[0] = '\0';
  }
}

} // namespace

/// A write in flight: what of it is not on the wire yet.
struct Connection::Write {
  Done done;
  void* context;
  std::array<sy_bytes, SY_SLICES_MAX> slices;
  std::size_t first;
  std::size_t count; // 0 in all: wait_writable
  std::size_t transferred;
  bool cancelled;
};

boost::system::result<Connection*>
Connection::open(ConnectionOwner& owner, int socket, ClientLimit::Slot slot, std::uint64_t id) {
  owner.reserve_one();
  if (id == 0) id = owner.next_id();
  Ptr connection{new Connection{owner, std::move(slot), id}, false}; // the reference it begins with
  boost::system::error_code error;
  connection->descriptor_.assign(socket, error);
  if (error) {
    ::close(socket);
    return error;
  }
  owner.begun(*connection);
  return connection.detach();
}

Connection::Connection(ConnectionOwner& owner, ClientLimit::Slot slot, std::uint64_t id)
    : sy_connection{&kConnectionApi},
      owner_{owner},
      descriptor_{owner.loop().executor()},
      id_{id},
      slot_{std::move(slot)} {}

Connection::~Connection() = default;

sy_status Connection::try_read(void* buffer, std::size_t capacity, std::size_t& transferred) {
  transferred = 0;
  if (within_process_) owner_.loop().share_turn();
  if (tls_ == nullptr) {
    const auto count = ::recv(descriptor_.native_handle(), buffer, capacity, MSG_DONTWAIT);
    if (count < 0) return from_errno();
    transferred = static_cast<std::size_t>(count);
    return SY_OK;
  }
  switch (tls_->read(buffer, capacity, transferred)) {
  case TlsSession::Step::Done:
  case TlsSession::Step::End: return SY_OK;
  case TlsSession::Step::WantRead: return SY_AGAIN;
  case TlsSession::Step::WantWrite: tls_read_wants_write_ = true; return SY_AGAIN;
  case TlsSession::Step::Failed: break;
  }
  return SY_CLOSED;
}

sy_status Connection::peek(void* buffer, std::size_t capacity, std::size_t& transferred) {
  transferred = 0;
  const auto count = ::recv(descriptor_.native_handle(), buffer, capacity, MSG_DONTWAIT | MSG_PEEK);
  if (count < 0) return from_errno();
  if (count == 0) return SY_CLOSED;
  transferred = static_cast<std::size_t>(count);
  return SY_OK;
}

sy_status Connection::wait_readable(Done done, void* context) {
  return read_some(nullptr, 0, done, context);
}

sy_status Connection::read_some(void* buffer, std::size_t capacity, Done done, void* context) {
  if (read_done_ != nullptr) return SY_BUSY;
  read_done_ = done;
  read_context_ = context;
  read_buffer_ = buffer;
  read_capacity_ = capacity;
  read_cancelled_ = expired_;
  if (expired_ || (tls_ != nullptr && tls_->has_pending())) {
    boost::asio::post(descriptor_.get_executor(), [self = Ptr{this}] { self->readable(); });
  } else {
    wait_to_read();
  }
  return SY_OK;
}

void Connection::wait_to_read() {
  const auto side =
      std::exchange(tls_read_wants_write_, false) ? Descriptor::wait_write : Descriptor::wait_read;
  descriptor_.async_wait(side, [self = Ptr{this}](boost::system::error_code) { self->readable(); });
}

void Connection::readable() {
  if (closed_ || read_done_ == nullptr) return;
  if (read_cancelled_) return finish_read(expired_ ? SY_TIMED_OUT : SY_CANCELLED, 0);
  if (read_buffer_ == nullptr) return finish_read(SY_OK, 0);
  std::size_t transferred = 0;
  const auto status = try_read(read_buffer_, read_capacity_, transferred);
  if (status == SY_AGAIN) return wait_to_read();
  finish_read(status, transferred);
}

void Connection::finish_read(sy_status status, std::size_t transferred) {
  const BoundaryCrossed crossed{"the end of a read", plugin_of(place_)};
  std::exchange(read_done_, nullptr)(read_context_, status, transferred);
}

sy_status
Connection::try_write(const sy_bytes* slices, std::size_t count, std::size_t& transferred) {
  transferred = 0;
  if (write_ != nullptr) return SY_BUSY;
  if (count > SY_SLICES_MAX) return SY_INVALID;
  if (within_process_) owner_.loop().share_turn();
  return tls_ == nullptr ? write_clear(slices, count, transferred)
                         : write_tls(slices, count, transferred);
}

sy_status
Connection::write_clear(const sy_bytes* slices, std::size_t count, std::size_t& transferred) {
  std::array<iovec, SY_SLICES_MAX> parts; // NOLINT: filled below as far as it is used
  for (std::size_t i = 0; i < count; ++i) {
    parts[i] = {const_cast<void*>(slices[i].data), slices[i].size};
  }
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = count;
  const auto sent = ::sendmsg(descriptor_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0) return from_errno();
  transferred = static_cast<std::size_t>(sent);
  return SY_OK;
}

sy_status
Connection::write_tls(const sy_bytes* slices, std::size_t count, std::size_t& transferred) {
  std::array<char, kTlsRecordMax> record; // NOLINT: filled below as far as it is used
  std::size_t first = 0;
  std::size_t offset = 0; // into slices[first]
  while (first < count) {
    std::size_t gathered = 0;
    auto slice = first;
    auto at = offset;
    while (slice < count && gathered < record.size()) {
      const auto part = std::min(slices[slice].size - at, record.size() - gathered);
      std::memcpy(
          record.data() + gathered, static_cast<const char*>(slices[slice].data) + at, part);
      gathered += part;
      at += part;
      if (at == slices[slice].size) {
        ++slice;
        at = 0;
      }
    }
    if (gathered == 0) break;
    if (tls_retry_size_ != 0) {
      if (gathered < tls_retry_size_) return SY_INVALID; // not what was refused the last time
      gathered = tls_retry_size_;
    }
    std::size_t written = 0;
    switch (tls_->write(record.data(), gathered, written)) {
    case TlsSession::Step::Done: break;
    case TlsSession::Step::WantRead:
    case TlsSession::Step::WantWrite:
      tls_retry_size_ = static_cast<std::uint32_t>(gathered);
      return transferred > 0 ? SY_OK : SY_AGAIN;
    case TlsSession::Step::End:
    case TlsSession::Step::Failed: return SY_CLOSED;
    }
    tls_retry_size_ = 0;
    transferred += written;
    while (first < count && written >= slices[first].size - offset) {
      written -= slices[first].size - offset;
      ++first;
      offset = 0;
    }
    offset += written;
  }
  return SY_OK;
}

sy_status Connection::write(const sy_bytes* slices, std::size_t count, Done done, void* context) {
  if (write_ != nullptr) return SY_BUSY;
  if (count > SY_SLICES_MAX) return SY_INVALID;
  write_ = std::make_unique<Write>(Write{done, context, {}, 0, count, 0, expired_});
  std::copy_n(slices, count, write_->slices.begin());
  boost::asio::post(descriptor_.get_executor(), [self = Ptr{this}] { self->writable(); });
  return SY_OK;
}

sy_status Connection::wait_writable(Done done, void* context) {
  if (write_ != nullptr) return SY_BUSY;
  write_ = std::make_unique<Write>(Write{done, context, {}, 0, 0, 0, expired_});
  if (expired_) {
    boost::asio::post(descriptor_.get_executor(), [self = Ptr{this}] { self->writable(); });
  } else {
    wait_to_write();
  }
  return SY_OK;
}

void Connection::wait_to_write() {
  descriptor_.async_wait(
      Descriptor::wait_write, [self = Ptr{this}](boost::system::error_code) { self->writable(); });
}

void Connection::writable() {
  if (closed_ || write_ == nullptr) return;
  auto& write = *write_;
  if (write.cancelled)
    return finish_write(expired_ ? SY_TIMED_OUT : SY_CANCELLED, write.transferred);
  while (write.first < write.count) {
    std::size_t sent = 0;
    const auto* slices = write.slices.data() + write.first;
    const auto count = write.count - write.first;
    const auto status =
        tls_ == nullptr ? write_clear(slices, count, sent) : write_tls(slices, count, sent);
    write.transferred += sent;
    while (write.first < write.count && sent >= write.slices[write.first].size) {
      sent -= write.slices[write.first++].size;
    }
    if (write.first < write.count) {
      auto& slice = write.slices[write.first];
      slice = {static_cast<const char*>(slice.data) + sent, slice.size - sent};
    }
    if (status == SY_AGAIN) return wait_to_write();
    if (status != SY_OK) return finish_write(status, write.transferred);
  }
  finish_write(SY_OK, write.transferred);
}

void Connection::finish_write(sy_status status, std::size_t transferred) {
  const auto write = std::exchange(write_, nullptr);
  const BoundaryCrossed crossed{"the end of a write", plugin_of(place_)};
  write->done(write->context, status, transferred);
}

sy_status Connection::shutdown_write() {
  if (tls_ != nullptr) tls_->say_goodbye();
  return ::shutdown(descriptor_.native_handle(), SHUT_WR) == 0 ? SY_OK : SY_CLOSED;
}

void Connection::cancel() {
  // The reactor may have queued an operation already, and does not call it back then: it has to see
  // for itself that it was cancelled, or it would go on to wait.
  read_cancelled_ = read_done_ != nullptr;
  if (write_ != nullptr) write_->cancelled = true;
  boost::system::error_code ignored; // cancelling an open descriptor does not fail
  descriptor_.cancel(ignored);
}

void Connection::expire() {
  expired_ = true;
  cancel();
}

void Connection::close(CloseReason reason) {
  BOOST_ASSERT(!closed_);
  closed_ = true;
  if (tls_ != nullptr) tls_->say_goodbye();
  boost::system::error_code ignored; // nothing can be done about a close that fails
  descriptor_.close(ignored);
  live_hook_.unlink();
  opening_hook_.unlink();
  slot_ = {};
  if (reason == CloseReason::Internal && place_) count_error(*place_, id_);
  place_.reset();
  owner_.ended(id_, reason);
  intrusive_ptr_release(this);
}

Connection::Holdings Connection::go_elsewhere() {
  BOOST_ASSERT(!closed_ && tls_ == nullptr && read_done_ == nullptr && write_ == nullptr);
  closed_ = true;
  // A close alone would leave it in the reactor's epoll set: the duplicate keeps it alive.
  ::close(descriptor_.release());
  live_hook_.unlink();
  opening_hook_.unlink();
  Holdings holdings{std::move(slot_), std::move(place_)};
  owner_.left();
  intrusive_ptr_release(this);
  return holdings;
}

void Connection::route_to(PluginPlace place, std::string_view protocol, std::int32_t tag) {
  place_ = std::move(place);
  protocol_ = protocol;
  tag_ = static_cast<std::int16_t>(tag);
}

void Connection::describe(sy_connection_info& info) const {
  const auto text = [](std::string_view view) { return sy_string{view.data(), view.size()}; };
  auto& self = const_cast<Connection&>(*this); // native_handle() is not const in Asio 1.81
  info.loop = owner_.loop().index();
  info.id = id_;
  info.tls = tls_ != nullptr ? 1 : 0;
  info.tag = tag_;
  info.protocol = text(protocol_);
  info.listener = text(listener_);
  info.alpn = tls_ != nullptr ? text(tls_->alpn()) : sy_string{};
  info.server_name = tls_ != nullptr ? text(tls_->server_name()) : sy_string{};
  info.peer_names = tls_ != nullptr ? text(tls_->peer_names()) : sy_string{};
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getpeername(self.socket(), reinterpret_cast<sockaddr*>(&address), &size) != 0) address = {};
  format_address(address, info.remote);
  address = {};
  size = sizeof address;
  if (::getsockname(self.socket(), reinterpret_cast<sockaddr*>(&address), &size) != 0) address = {};
  format_address(address, info.local);
  if (credentials_ == nullptr) return;
  info.tls = 1;
  info.alpn = text(credentials_->alpn);
  info.server_name = text(credentials_->server_name);
  info.peer_names = text(credentials_->peer_names);
  std::snprintf(info.remote, sizeof info.remote, "%s", credentials_->remote.c_str());
  std::snprintf(info.local, sizeof info.local, "%s", credentials_->local.c_str());
}

sy_status Connection::detach(sy_descriptor& descriptor) {
  if (tls_ != nullptr || credentials_ != nullptr) return SY_UNSUPPORTED;
  if (read_done_ != nullptr || write_ != nullptr) return SY_BUSY;
  if (!owner_.hangups().add(id_, descriptor_.native_handle(), slot_, place_)) return SY_LIMIT;
  closed_ = true;
  descriptor.descriptor = descriptor_.release();
  descriptor.read_ahead = {};
  descriptor.id = id_;
  live_hook_.unlink();
  opening_hook_.unlink();
  intrusive_ptr_release(this);
  return SY_OK;
}

void Connection::take_back(const sy_descriptor& descriptor) {
  owner_.hangups().forget(id_);
  ::close(descriptor.descriptor);
  closed_ = false;
  owner_.live().push_back(*this);
  intrusive_ptr_add_ref(this);
}

} // namespace switchyard::host

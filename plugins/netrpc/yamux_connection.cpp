#include <plugins/netrpc/loop.hpp>
#include <plugins/netrpc/yamux_connection.hpp>

namespace switchyard::netrpc {
namespace {

sy_close_reason reason_of(yamux::Error error) noexcept {
  switch (error) {
  case yamux::Error::OutputLimit: return SY_CLOSE_LIMIT;
  case yamux::Error::KeepAliveTimeout: return SY_CLOSE_TIMED_OUT;
  case yamux::Error::PeerProtocolError:
  case yamux::Error::PeerInternalError: return SY_CLOSE_PEER_GONE;
  default: return SY_CLOSE_PROTOCOL_ERROR;
  }
}

} // namespace

YamuxConnection::YamuxConnection(Loop& loop, sy_connection* connection, yamux::Role role)
    : Connection{loop, connection},
      session_{role, loop.yamux_limits, loop.deadlines.now()},
      keep_alive_{&YamuxConnection::keep_alive, this} {
  loop.deadlines.arm(keep_alive_, session_.deadline());
}

YamuxConnection::~YamuxConnection() {
  loop().deadlines.disarm(keep_alive_);
}

void YamuxConnection::receive(std::span<const std::byte> bytes) {
  if (const auto done = session_.receive(bytes, *this); !done) return end_by(done.error());
  after_receive();
}

void YamuxConnection::end_by(boost::system::error_code error) {
  loop().host.log(
      SY_LOG_WARN, "yamux session ended peer=" + remote() + " reason=\"" + error.message() + '"');
  end(reason_of(static_cast<yamux::Error>(error.value())));
}

void YamuxConnection::keep_alive(void* self) {
  auto& connection = *static_cast<YamuxConnection*>(self);
  if (connection.ending()) return;

  // While reading is stopped an answer to a ping would go unread; the write has a limit of its own.
  auto& deadlines = connection.loop().deadlines;
  const auto now = deadlines.now();
  auto next = now + connection.loop().config.write_timeout;
  if (connection.takes_input()) {
    if (const auto kept = connection.session_.advance(now); !kept) connection.end_by(kept.error());
    next = connection.session_.deadline();
  }
  deadlines.arm(connection.keep_alive_, next);
  connection.end_turn();
}

} // namespace switchyard::netrpc

#include <host/connection/async.hpp>
#include <host/serve/handshake.hpp>

#include <utility>

namespace switchyard::host {

namespace net = boost::asio;

net::awaitable<sy_status> handshake(Connection& connection, std::unique_ptr<TlsSession> session) {
  auto& tls = *session;
  connection.secure(std::move(session));
  for (;;) {
    auto direction = Direction::Read;
    switch (tls.handshake()) {
    case TlsSession::Step::Done: co_return SY_OK;
    case TlsSession::Step::WantRead: break;
    case TlsSession::Step::WantWrite: direction = Direction::Write; break;
    case TlsSession::Step::End:
    case TlsSession::Step::Failed: co_return SY_REFUSED;
    }
    // The clear twin of the wait: TlsSession reads the socket itself.
    const auto status = co_await async_ready(connection, direction, net::use_awaitable);
    if (status != SY_OK) co_return status;
  }
}

} // namespace switchyard::host

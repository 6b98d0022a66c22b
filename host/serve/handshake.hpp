#pragma once

#include <host/connection/connection.hpp>
#include <host/tls/session.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>

namespace switchyard::host {

/// Makes `connection` speak TLS through `session` and waits for the handshake. SY_OK; SY_REFUSED
/// when it failed (connection.tls()->error() says why); SY_TIMED_OUT when the connection expired
/// first.
boost::asio::awaitable<sy_status>
handshake(Connection& connection, std::unique_ptr<TlsSession> session);

} // namespace switchyard::host

#pragma once

#include <host/connection/async.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

#include <cstdint>

namespace switchyard::host {

/// How a connection opened.
struct Opening {
  bool native_tls = false; ///< a ClientHello, left unread
  std::uint8_t tag = 0;    ///< otherwise: the tag, read
};

/// Reads the first byte of `connection`, or of what is inside its TLS. A byte that begins a
/// ClientHello is left where it is when `may_be_tls`. Fails with OpeningTimeout when the connection
/// expires, OpeningAborted when the peer leaves first.
boost::asio::awaitable<boost::system::result<Opening, CloseReason>>
sniff(Connection& connection, bool may_be_tls);

} // namespace switchyard::host

#pragma once

#include <boost/system/error_code.hpp>

namespace switchyard::yamux {

/// Why a session ends, or why a stream cannot be opened.
enum class Error {
  // The peer broke the protocol. Each one ends the session, without a reply.
  UnknownVersion = 1,
  UnknownType,
  StreamZero,       ///< SYN for the id that addresses the session
  StreamReused,     ///< SYN for a stream that is open
  WindowExceeded,   ///< more Data than was granted
  WindowOverflow,   ///< grants that add up to 2^32 or more
  UnexpectedFinish, ///< a second FIN
  DataAfterFinish,  ///< payload behind a FIN

  // The peer or the network gave up. Each one ends the session.
  PeerProtocolError, ///< GoAway 1: the peer says that we broke the protocol
  PeerInternalError, ///< GoAway 2
  UnknownGoAway,     ///< GoAway with any other code above 0
  KeepAliveTimeout,  ///< nothing came after a ping
  OutputLimit,       ///< the peer asks for answers and takes none

  // A stream was not opened; the session goes on.
  GoingAway,    ///< one of the two sides has said GoAway
  BacklogFull,  ///< too many streams wait for the peer's ACK
  StreamLimit,  ///< Limits::streams_max are open
  IdsExhausted, ///< all ids of this side are used up; a new session is needed
};

boost::system::error_code make_error_code(Error) noexcept;

} // namespace switchyard::yamux

template <>
struct boost::system::is_error_code_enum<switchyard::yamux::Error> : std::true_type {};

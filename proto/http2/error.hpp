#pragma once

#include <proto/http2/goaway.hpp>

#include <boost/system/error_code.hpp>

namespace switchyard::http2 {

/// Why a connection is not carried on. Each one is the client's doing and ends the connection.
enum class Error {
  // More than Limits allow: ErrorCode::EnhanceYourCalm.
  ResetFlood = 1,         ///< streams given up, not outweighed by streams that were answered
  ClosedStreamFlood,      ///< HEADERS, and ends of DATA, for streams that cannot take them
  PingFlood,              ///< PING, not outweighed by what the server sent; or answers to none
  WindowUpdateFlood,      ///< WINDOW_UPDATE, not outweighed by calls and answers
  SettingsFlood,          ///< SETTINGS, or acknowledgements of none
  PriorityFlood,          ///< PRIORITY
  GoAwayFlood,            ///< GOAWAY
  UnknownFrameFlood,      ///< frames of types that RFC 9113 does not define
  EmptyFrameFlood,        ///< DATA, HEADERS or CONTINUATION that carries and ends nothing
  HeaderBlockTooLong,     ///< HEADERS with its CONTINUATIONs, in bytes
  TooManyContinuations,   ///< CONTINUATION frames of one header block
  TooManyStreams,         ///< streams open at once
  SettingsUnacknowledged, ///< calls go on, the server's SETTINGS are ignored; SettingsTimeout

  // Not HTTP/2: ErrorCode::ProtocolError.
  BadPreface,             ///< RFC 9113 §3.4
  SettingsExpected,       ///< the first frame is another one; RFC 9113 §3.4
  ContinuationExpected,   ///< another frame within a header block; RFC 9113 §6.10
  UnexpectedContinuation, ///< without a header block; RFC 9113 §6.10
  StreamExpected,         ///< stream 0 in a frame that needs a stream; RFC 9113 §6
  ConnectionExpected,     ///< a stream in a frame for the whole connection; RFC 9113 §6
  ServerStream,           ///< an even stream id; RFC 9113 §5.1.1
  IdleStream,             ///< a stream that was never opened; RFC 9113 §5.1
  PushByClient,           ///< PUSH_PROMISE; RFC 9113 §8.4

  // Lengths: ErrorCode::FrameSizeError.
  FrameTooLong,     ///< longer than the server ever allowed; RFC 9113 §4.2
  FrameLengthWrong, ///< other than its type's length; RFC 9113 §4.2
};

boost::system::error_code make_error_code(Error) noexcept;

/// What to tell the client with GOAWAY when the connection ends for this reason.
[[nodiscard]] ErrorCode goaway_code(Error) noexcept;

} // namespace switchyard::http2

template <>
struct boost::system::is_error_code_enum<switchyard::http2::Error> : std::true_type {};

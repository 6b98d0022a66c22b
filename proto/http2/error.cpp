#include <proto/http2/error.hpp>

#include <string>

namespace switchyard::http2 {
namespace {

const char* text(Error error) noexcept {
  switch (error) {
  case Error::ResetFlood: return "too many streams reset";
  case Error::ClosedStreamFlood: return "too many frames for closed streams";
  case Error::PingFlood: return "too many pings";
  case Error::WindowUpdateFlood: return "too many window updates";
  case Error::SettingsFlood: return "too many SETTINGS frames";
  case Error::PriorityFlood: return "too many PRIORITY frames";
  case Error::GoAwayFlood: return "too many GOAWAY frames";
  case Error::UnknownFrameFlood: return "too many frames of unknown types";
  case Error::EmptyFrameFlood: return "too many empty frames";
  case Error::HeaderBlockTooLong: return "header block too long";
  case Error::TooManyContinuations: return "too many CONTINUATION frames";
  case Error::TooManyStreams: return "too many streams open";
  case Error::SettingsUnacknowledged: return "SETTINGS not acknowledged";
  case Error::BadPreface: return "not an HTTP/2 preface";
  case Error::SettingsExpected: return "first frame is not SETTINGS";
  case Error::ContinuationExpected: return "another frame within a header block";
  case Error::UnexpectedContinuation: return "CONTINUATION without a header block";
  case Error::StreamExpected: return "stream 0 in a frame of a stream";
  case Error::ConnectionExpected: return "a stream in a frame of the connection";
  case Error::ServerStream: return "client used an even stream id";
  case Error::IdleStream: return "frame for a stream that was not opened";
  case Error::PushByClient: return "PUSH_PROMISE by a client";
  case Error::FrameTooLong: return "frame longer than allowed";
  case Error::FrameLengthWrong: return "frame of a wrong length";
  }
  return "unknown HTTP/2 error";
}

class Category final : public boost::system::error_category {
public:
  const char* name() const noexcept override { return "switchyard.http2"; }

  std::string message(int value) const override { return text(static_cast<Error>(value)); }

  const char* message(int value, char*, std::size_t) const noexcept override {
    return text(static_cast<Error>(value));
  }
};

} // namespace

boost::system::error_code make_error_code(Error error) noexcept {
  static const Category kCategory;
  return {static_cast<int>(error), kCategory};
}

ErrorCode goaway_code(Error error) noexcept {
  if (error >= Error::FrameTooLong) return ErrorCode::FrameSizeError;
  if (error >= Error::BadPreface) return ErrorCode::ProtocolError;
  if (error == Error::SettingsUnacknowledged) return ErrorCode::SettingsTimeout;
  return ErrorCode::EnhanceYourCalm;
}

} // namespace switchyard::http2

#include <proto/yamux/error.hpp>

#include <string>

namespace switchyard::yamux {
namespace {

const char* text(Error error) noexcept {
  switch (error) {
  case Error::UnknownVersion: return "unknown yamux version";
  case Error::UnknownType: return "unknown yamux frame type";
  case Error::StreamZero: return "yamux stream opened with id 0";
  case Error::StreamReused: return "yamux stream opened twice";
  case Error::WindowExceeded: return "more data than the yamux window allows";
  case Error::WindowOverflow: return "yamux window grown past 32 bits";
  case Error::UnexpectedFinish: return "yamux stream finished twice";
  case Error::DataAfterFinish: return "data on a finished yamux stream";
  case Error::PeerProtocolError: return "peer went away: protocol error";
  case Error::PeerInternalError: return "peer went away: internal error";
  case Error::UnknownGoAway: return "peer went away: unknown code";
  case Error::KeepAliveTimeout: return "no answer to a yamux ping";
  case Error::OutputLimit: return "peer takes no yamux answers";
  case Error::GoingAway: return "yamux session is going away";
  case Error::BacklogFull: return "too many yamux streams wait to be accepted";
  case Error::StreamLimit: return "too many yamux streams";
  case Error::IdsExhausted: return "yamux stream ids are used up";
  }
  return "unknown yamux error";
}

class Category final : public boost::system::error_category {
public:
  const char* name() const noexcept override { return "switchyard.yamux"; }

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

} // namespace switchyard::yamux

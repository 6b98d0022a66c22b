#pragma once

#include "frames.hpp"

#include <proto/http2/walker.hpp>

namespace switchyard::http2::test {

/// A walker between two sides that speak when they are told to, at a time that stands still until
/// it is moved.
class Talk {
public:
  explicit Talk(Limits limits = {}) : limits_{limits} {}

  Passage client(const Bytes& bytes) { return walker.from_client(bytes, now); }

  Passage server(const Bytes& bytes) { return walker.from_server(bytes, now); }

  /// What every conversation begins with, up to the acknowledgement of the server's settings.
  Talk& greet(const Bytes& server_settings = settings()) {
    (void)client(preface() + settings());
    (void)server(server_settings + settings_ack());
    (void)client(settings_ack());
    return *this;
  }

private:
  Limits limits_;

public:
  Walker walker{limits_};
  std::chrono::nanoseconds now = std::chrono::hours{1};
};

/// True when all of `bytes` was passed on.
inline bool passed(const Passage& passage, const Bytes& bytes) {
  return !passage.error && passage.pass == bytes.size();
}

} // namespace switchyard::http2::test

#pragma once

#include <proto/http2/frame.hpp>

#include <vector>

namespace switchyard::http2 {

/// Why an endpoint leaves; others exist. Wire values; source: RFC 9113 §7.
enum class ErrorCode : std::uint32_t {
  NoError = 0x0,
  ProtocolError = 0x1,
  InternalError = 0x2,
  SettingsTimeout = 0x4,
  FrameSizeError = 0x6,
  EnhanceYourCalm = 0xb,
};

/// A whole GOAWAY frame. `last_stream` is the highest stream that is still answered: kLastStream
/// with NoError announces that the server drains and aborts nothing; a later GOAWAY may only name a
/// lower one. `why` goes along as debug data, which gRPC clients show in their errors; at most 256
/// bytes of it. Source: RFC 9113 §6.8.
[[nodiscard]] std::vector<std::byte>
encode_goaway(std::uint32_t last_stream, ErrorCode code, std::string_view why = {});

} // namespace switchyard::http2

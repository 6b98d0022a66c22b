#pragma once

#include <proto/http2/bucket.hpp>

#include <cstddef>

namespace switchyard::http2 {

using namespace std::chrono_literals;

/// What a client may ask of one connection. An honest client, however busy, stays far below: what
/// honest clients do in step with the server's work is paid for by that work.
struct Limits {
  /// Streams open at once. The server should advertise this number or less as
  /// SETTINGS_MAX_CONCURRENT_STREAMS, which holds as soon as the client has acknowledged it:
  /// clients keep to what they are told. Twice Consul's 2048; four bytes each.
  std::size_t streams_max = 4096;

  /// Bytes of a header block, HEADERS and CONTINUATIONs together, padding included. gRPC refuses
  /// metadata above 8 KiB call by call; four times as much leaves it the chance to do so.
  std::size_t header_block_bytes_max = 32 * 1024;

  /// CONTINUATION frames of one header block. One after the usual 16 KiB completes the largest
  /// block. gRPC counts metadata anew in each frame, so each lets as much more memory be taken.
  std::size_t continuations_max = 1;

  /// Bytes of header blocks, all together, until the client acknowledges the server's first
  /// SETTINGS. Until then gRPC limits neither metadata (to less than 16 MiB) nor streams, and a
  /// byte can cost it 170. The first hundred calls of a client that does not wait take about 30
  /// KiB.
  std::size_t unacknowledged_bytes_max = 128 * 1024;

  /// Streams given up before the server had answered: RST_STREAM, by the client, or by the server
  /// in reply to a broken stream. Every stream the server finishes gives one back, and pays for the
  /// end that crosses with the answer. A client may drop all it has open at once, or let 500 calls
  /// a second run into their deadlines for ever.
  Allowance resets{.burst = 4096, .every = 2ms};

  /// PING. Every HEADERS or DATA frame of the server gives one back, since clients measure the
  /// round trip while they receive (grpc-go one ping at a time); keepalive needs one in 10 s.
  Allowance pings{.burst = 100, .every = 100ms};

  /// WINDOW_UPDATE. Every stream the client opens and every HEADERS or DATA frame of the server
  /// give four back, and each KiB the server sends one more: clients grant both windows once a
  /// message (gRPC's own when they begin to wait for it) or once a read.
  Allowance window_updates{.burst = 4096, .every = 1ms};

  /// Frames that do no work: SETTINGS, PRIORITY, GOAWAY, acknowledgements, empty and unknown
  /// frames. A SETTINGS or PING of the server gives one back for its acknowledgement. A gRPC client
  /// sends a handful at the start, then next to none.
  Allowance overhead{.burst = 200, .every = 20ms};
};

} // namespace switchyard::http2

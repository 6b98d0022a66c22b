#pragma once

#include <proto/http2/goaway.hpp>

#include <tests/peer/socket_pair.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace switchyard::grpc::test {

/// A client that says exactly what the test wants it to say.
class Http2Peer {
public:
  struct Frame {
    http2::Header header;
    std::string payload;
  };

  /// Sends the preface and empty SETTINGS, and reads the server's SETTINGS.
  explicit Http2Peer(peer::Socket socket);

  void send(
      http2::FrameType type,
      std::uint8_t flags,
      std::uint32_t stream,
      std::string_view payload = {});

  /// Opens a stream with a call of that method; its one request is empty.
  void call(std::uint32_t stream, std::string_view method, bool end = true);

  /// The server's next frame but for those about windows, and SETTINGS and PING, which it
  /// acknowledges. Nothing at the end of the connection.
  [[nodiscard]] std::optional<Frame> next();

  /// Reads until a frame of that type comes. Nothing at the end.
  [[nodiscard]] std::optional<Frame> find(http2::FrameType type);

  [[nodiscard]] const peer::Socket& socket() const noexcept { return socket_; }

  [[nodiscard]] peer::Socket& socket() noexcept { return socket_; }

private:
  [[nodiscard]] std::optional<Frame> receive();

  peer::Socket socket_;
};

/// The fields of a GOAWAY.
struct GoAway {
  std::uint32_t last_stream;
  http2::ErrorCode code;
  std::string text;
};

[[nodiscard]] GoAway decode_goaway(const Http2Peer::Frame& frame);

} // namespace switchyard::grpc::test

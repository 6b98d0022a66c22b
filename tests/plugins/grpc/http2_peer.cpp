#include "http2_peer.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace switchyard::grpc::test {
namespace {

using http2::FrameType;

std::uint32_t number(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char c : bytes.substr(0, 4))
    value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

/// A literal of HPACK without Huffman coding, below 127 bytes. Source: RFC 7541 §6.2.2.
std::string literal(std::string_view name, std::string_view value) {
  std::string field(1, '\0');
  for (const auto text : {name, value}) {
    field.push_back(static_cast<char>(text.size()));
    field.append(text);
  }
  return field;
}

} // namespace

Http2Peer::Http2Peer(peer::Socket socket) : socket_{std::move(socket)} {
  socket_.send(http2::kPreface);
  send(FrameType::Settings, 0, 0);
  const auto settings = receive();
  if (!settings || settings->header.type != FrameType::Settings) {
    throw std::runtime_error{"the server sent no SETTINGS"};
  }
}

void Http2Peer::send(
    FrameType type, std::uint8_t flags, std::uint32_t stream, std::string_view payload) {
  const auto header =
      http2::encode_header({static_cast<std::uint32_t>(payload.size()), type, flags, stream});
  std::string frame{reinterpret_cast<const char*>(header.data()), header.size()};
  socket_.send(frame.append(payload));
}

void Http2Peer::call(std::uint32_t stream, std::string_view method, bool end) {
  send(
      FrameType::Headers,
      static_cast<std::uint8_t>(http2::Flag::EndHeaders),
      stream,
      literal(":method", "POST") + literal(":scheme", "http") + literal(":path", method) +
          literal(":authority", "peer") + literal("te", "trailers") +
          literal("content-type", "application/grpc"));
  // Source: gRPC's PROTOCOL-HTTP2.md, "Length-Prefixed-Message".
  send(FrameType::Data, end ? 1 : 0, stream, std::string_view{"\0\0\0\0\0", 5});
}

std::optional<Http2Peer::Frame> Http2Peer::receive() {
  const auto bytes = socket_.receive(http2::kHeaderSize);
  if (bytes.size() < http2::kHeaderSize) return std::nullopt;
  std::array<std::byte, http2::kHeaderSize> header{};
  std::copy_n(reinterpret_cast<const std::byte*>(bytes.data()), header.size(), header.begin());
  Frame frame{http2::decode_header(header), {}};
  frame.payload = socket_.receive(frame.header.length);
  return frame;
}

std::optional<Http2Peer::Frame> Http2Peer::next() {
  while (auto frame = receive()) {
    const auto type = frame->header.type;
    const auto acknowledged = frame->header.has(http2::Flag::Ack);
    if (type == FrameType::WindowUpdate) continue;
    if (type != FrameType::Settings && type != FrameType::Ping) return frame;
    if (acknowledged) continue;
    try {
      send(type, 1, 0, type == FrameType::Ping ? std::string_view{frame->payload} : "");
    } catch (const std::system_error&) {
      // The server has gone; what it has said is still there to be read.
    }
  }
  return std::nullopt;
}

std::optional<Http2Peer::Frame> Http2Peer::find(FrameType type) {
  while (auto frame = next()) {
    if (frame->header.type == type) return frame;
  }
  return std::nullopt;
}

GoAway decode_goaway(const Http2Peer::Frame& frame) {
  return {
      number(frame.payload),
      static_cast<http2::ErrorCode>(number(std::string_view{frame.payload}.substr(4))),
      frame.payload.substr(8)};
}

} // namespace switchyard::grpc::test

#pragma once

#include <proto/http2/goaway.hpp>

#include <initializer_list>

namespace switchyard::http2::test {

using Bytes = std::vector<std::byte>;

inline constexpr auto kEndStream = static_cast<std::uint8_t>(Flag::EndStream);
inline constexpr auto kEndHeaders = static_cast<std::uint8_t>(Flag::EndHeaders);
inline constexpr auto kAck = static_cast<std::uint8_t>(Flag::Ack);

inline Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

inline Bytes operator*(std::size_t count, const Bytes& frame) {
  Bytes all;
  for (std::size_t i = 0; i < count; ++i)
    all.insert(all.end(), frame.begin(), frame.end());
  return all;
}

inline Bytes preface() {
  const auto bytes = std::as_bytes(std::span{kPreface});
  return {bytes.begin(), bytes.end()};
}

/// A frame whose payload is `length` zeros.
inline Bytes
frame(FrameType type, std::uint32_t stream, std::uint32_t length, std::uint8_t flags = 0) {
  const auto header =
      encode_header({.length = length, .type = type, .flags = flags, .stream = stream});
  Bytes bytes{header.begin(), header.end()};
  bytes.resize(kHeaderSize + length);
  return bytes;
}

inline Bytes data(std::uint32_t stream, std::uint32_t length, std::uint8_t flags = 0) {
  return frame(FrameType::Data, stream, length, flags);
}

inline Bytes
headers(std::uint32_t stream, std::uint8_t flags = kEndHeaders, std::uint32_t length = 12) {
  return frame(FrameType::Headers, stream, length, flags);
}

inline Bytes
continuation(std::uint32_t stream, std::uint8_t flags = kEndHeaders, std::uint32_t length = 12) {
  return frame(FrameType::Continuation, stream, length, flags);
}

/// A whole call as a client sends it: HEADERS, one message, the end.
inline Bytes call(std::uint32_t stream) {
  return headers(stream) + data(stream, 20, kEndStream);
}

/// A whole answer: HEADERS, one message, trailers.
inline Bytes answer(std::uint32_t stream) {
  return headers(stream) + data(stream, 20) + headers(stream, kEndHeaders | kEndStream);
}

inline Bytes rst_stream(std::uint32_t stream) {
  return frame(FrameType::RstStream, stream, 4);
}

inline Bytes ping(std::uint8_t flags = 0) {
  return frame(FrameType::Ping, 0, 8, flags);
}

inline Bytes priority(std::uint32_t stream) {
  return frame(FrameType::Priority, stream, 5);
}

inline Bytes window_update(std::uint32_t stream) {
  return frame(FrameType::WindowUpdate, stream, 4);
}

/// SETTINGS, and what they set.
inline Bytes settings(std::initializer_list<std::pair<std::uint16_t, std::uint32_t>> set = {}) {
  auto bytes = frame(FrameType::Settings, 0, 0);
  for (const auto& [id, value] : set) {
    for (const auto octet : {id >> 8, id & 0xff})
      bytes.push_back(static_cast<std::byte>(octet));
    for (const auto shift : {24, 16, 8, 0})
      bytes.push_back(static_cast<std::byte>(value >> shift));
  }
  bytes[2] = static_cast<std::byte>(bytes.size() - kHeaderSize);
  return bytes;
}

inline Bytes settings_ack() {
  return frame(FrameType::Settings, 0, 0, kAck);
}

} // namespace switchyard::http2::test

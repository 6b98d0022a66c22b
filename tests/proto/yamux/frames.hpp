#pragma once

#include <proto/yamux/header.hpp>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard::yamux::test {

using Bytes = std::vector<std::byte>;

inline Bytes bytes(std::string_view text) {
  const auto* first = reinterpret_cast<const std::byte*>(text.data());
  return {first, first + text.size()};
}

inline std::string_view text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline std::uint16_t flags(std::initializer_list<Flag> set) {
  std::uint16_t all = 0;
  for (const auto flag : set)
    all = static_cast<std::uint16_t>(all | static_cast<unsigned>(flag));
  return all;
}

inline Bytes frame(const Header& header) {
  const auto wire = encode_header(header);
  return {wire.begin(), wire.end()};
}

inline Bytes data(std::uint32_t stream, std::string_view payload, std::uint16_t set = 0) {
  auto wire = frame(
      {.type = FrameType::Data,
       .flags = set,
       .stream_id = stream,
       .length = static_cast<std::uint32_t>(payload.size())});
  const auto body = bytes(payload);
  wire.insert(wire.end(), body.begin(), body.end());
  return wire;
}

inline Bytes window(std::uint32_t stream, std::uint16_t set, std::uint32_t delta = 0) {
  return frame(
      {.type = FrameType::WindowUpdate, .flags = set, .stream_id = stream, .length = delta});
}

inline Bytes ping(std::uint16_t set, std::uint32_t value) {
  return frame({.type = FrameType::Ping, .flags = set, .stream_id = 0, .length = value});
}

inline Bytes go_away(std::uint32_t code) {
  return frame({.type = FrameType::GoAway, .flags = 0, .stream_id = 0, .length = code});
}

inline Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

/// Frames as lines, such as "window SYN 1 0" or "data 1 abc"; a long payload as its size.
inline std::string describe(std::span<const std::byte> wire) {
  static constexpr std::string_view kTypes[] = {"data", "window", "ping", "goaway"};
  static constexpr std::string_view kFlags[] = {" SYN", " ACK", " FIN", " RST"};
  std::string lines;
  while (wire.size() >= kHeaderSize) {
    const auto header = *decode_header(wire.first<kHeaderSize>());
    wire = wire.subspan(kHeaderSize);
    lines += kTypes[static_cast<std::size_t>(header.type)];
    for (unsigned bit = 0; bit < 4; ++bit) {
      if ((header.flags & (1u << bit)) != 0) lines += kFlags[bit];
    }
    lines += ' ' + std::to_string(header.stream_id) + ' ';
    if (header.type == FrameType::Data) {
      const auto payload = wire.first(header.length);
      wire = wire.subspan(header.length);
      lines += payload.size() <= 32 ? std::string{text(payload)}
                                    : std::to_string(payload.size()) + " bytes";
    } else {
      lines += std::to_string(header.length);
    }
    lines += '\n';
  }
  return wire.empty() ? lines : lines + "cut\n";
}

} // namespace switchyard::yamux::test

#pragma once

#include <proto/http2/streams.hpp>

#include <algorithm>
#include <span>

namespace switchyard::http2::test {

/// Some bytes that one side sent in one go.
struct Turn {
  Side side;
  std::span<const std::byte> bytes;
};

/// Takes the first turn off a conversation. A turn is one byte, even for the client and odd for the
/// server, half of which is one less than how many bytes follow. `conversation` is not empty.
inline Turn next_turn(std::span<const std::byte>& conversation) {
  const auto head = std::to_integer<std::size_t>(conversation[0]);
  const auto rest = conversation.subspan(1);
  const auto bytes = rest.first(std::min(head / 2 + 1, rest.size()));
  conversation = rest.subspan(bytes.size());
  return {head % 2 == 0 ? Side::Client : Side::Server, bytes};
}

} // namespace switchyard::http2::test

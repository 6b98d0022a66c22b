// Clients recorded against gRPC 1.51, a handful of calls each: answered at once and slowly,
// streaming, cancelled at their deadline, refused. The recordings are seeds of the fuzz target as
// well, hence their first byte, which is its own.
#include "talk.hpp"
#include "turns.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace switchyard::http2::test {
namespace {

Bytes load(const std::string& name) {
  std::ifstream file{
      SWITCHYARD_SOURCE_DIR "/tests/proto/http2/corpus/recorded-" + name, std::ios::binary};
  EXPECT_TRUE(file) << name;
  Bytes bytes;
  std::transform(
      std::istreambuf_iterator<char>{file}, {}, std::back_inserter(bytes), [](char byte) {
        return static_cast<std::byte>(byte);
      });
  return bytes;
}

/// Gives `bytes` to `side` of the walker in pieces of at most `piece`; what it holds back stays in
/// `held`.
void feed(Talk& talk, Side side, std::span<const std::byte> bytes, std::size_t piece, Bytes& held) {
  while (!bytes.empty()) {
    const auto part = bytes.first(std::min(piece, bytes.size()));
    bytes = bytes.subspan(part.size());
    held.insert(held.end(), part.begin(), part.end());
    const auto passage = side == Side::Client ? talk.client(held) : talk.server(held);
    ASSERT_FALSE(passage.error) << make_error_code(*passage.error).message();
    held.erase(held.begin(), held.begin() + static_cast<std::ptrdiff_t>(passage.pass));
  }
}

TEST(Http2Recorded, ClientsPassWhole) {
  const struct {
    std::string name;
    std::uint32_t last_stream;
  } cases[] = {
      {"grpc-core-1.51", 11},
      {"grpc-go-1.33", 9},
      {"grpc-js-1.14.7", 9},
      {"node-http2-20", 5},
  };

  for (const auto& c : cases) {
    for (const auto piece : {std::size_t{1}, std::size_t{7}, std::size_t{128}}) {
      SCOPED_TRACE(c.name + " in pieces of " + std::to_string(piece));
      const auto recording = load(c.name);
      auto conversation = std::span{recording}.subspan(1);
      Talk talk;
      (void)talk.client(preface());
      Bytes from_client;
      Bytes from_server;
      while (!conversation.empty() && !HasFatalFailure()) {
        const auto [side, bytes] = next_turn(conversation);
        feed(talk, side, bytes, piece, side == Side::Client ? from_client : from_server);
      }
      EXPECT_TRUE(from_client.empty());
      EXPECT_TRUE(from_server.empty());
      EXPECT_EQ(talk.walker.last_stream(), c.last_stream);
      EXPECT_EQ(talk.walker.open_streams(), 0u);
      EXPECT_TRUE(talk.walker.may_insert());
    }
  }
}

} // namespace
} // namespace switchyard::http2::test

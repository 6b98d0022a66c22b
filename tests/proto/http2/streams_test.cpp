#include <proto/http2/streams.hpp>

#include <gtest/gtest.h>

namespace switchyard::http2 {
namespace {

TEST(Http2Streams, AreOpenUntilBothSidesHaveEnded) {
  for (const auto first : {Side::Client, Side::Server}) {
    const auto second = first == Side::Client ? Side::Server : Side::Client;
    Streams streams;
    streams.open(1);
    EXPECT_TRUE(streams.end(1, first));
    EXPECT_FALSE(streams.sends(1, first));
    EXPECT_TRUE(streams.sends(1, second));
    EXPECT_FALSE(streams.end(1, first));
    EXPECT_EQ(streams.count(), 1u);
    EXPECT_TRUE(streams.end(1, second));
    EXPECT_EQ(streams.count(), 0u);
    EXPECT_FALSE(streams.end(1, second));
  }
}

TEST(Http2Streams, AreGoneAfterAReset) {
  Streams streams;
  streams.open(3);
  streams.reset(1);
  EXPECT_EQ(streams.count(), 1u);
  streams.reset(3);
  streams.reset(3);
  EXPECT_EQ(streams.count(), 0u);
  EXPECT_FALSE(streams.sends(3, Side::Client));
}

TEST(Http2Streams, AreToldApart) {
  Streams streams;
  for (const auto id : {1u, 3u, 7u, 0x7fffffffu})
    streams.open(id);
  EXPECT_TRUE(streams.end(3, Side::Client));
  for (const auto id : {1u, 7u, 0x7fffffffu})
    EXPECT_TRUE(streams.sends(id, Side::Client));
  for (const auto id : {5u, 9u, 0x7ffffffdu})
    EXPECT_FALSE(streams.sends(id, Side::Server));
  EXPECT_EQ(streams.count(), 4u);
}

TEST(Http2Streams, EndInAnyOrder) {
  constexpr auto kStreams = 1000u;
  Streams streams;
  for (auto i = 0u; i < kStreams; ++i)
    streams.open(2 * i + 1);
  // 7 and kStreams have no common divisor, so every stream has its turn.
  for (auto i = 0u; i < kStreams; ++i) {
    const auto id = 2 * (7 * i % kStreams) + 1;
    EXPECT_TRUE(streams.end(id, Side::Server));
    EXPECT_TRUE(streams.end(id, Side::Client));
    EXPECT_EQ(streams.count(), kStreams - 1 - i);
  }
}

} // namespace
} // namespace switchyard::http2

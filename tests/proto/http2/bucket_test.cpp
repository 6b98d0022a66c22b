#include <proto/http2/limits.hpp>

#include <gtest/gtest.h>

namespace switchyard::http2 {
namespace {

constexpr Allowance kThree{.burst = 3, .every = 100ms};

unsigned take_all(Bucket& bucket, std::chrono::nanoseconds now) {
  unsigned taken = 0;
  while (bucket.take(kThree, now))
    ++taken;
  return taken;
}

TEST(Http2Bucket, HoldsABurstAndFillsUpWithTime) {
  const struct {
    std::string_view name;
    std::chrono::nanoseconds pause;
    unsigned tokens;
  } cases[] = {
      {"none at once", 0ms, 0},
      {"none before its time", 99999999ns, 0},
      {"one in its time", 100ms, 1},
      {"two in twice its time", 200ms, 2},
      {"a part of one is not lost on the way", 250ms, 2},
      {"never more than a burst", 24h, 3},
  };

  for (const auto start : {-1h, 0h, 1h}) {
    for (const auto& c : cases) {
      SCOPED_TRACE(c.name);
      Bucket bucket;
      EXPECT_EQ(take_all(bucket, start), 3u);
      EXPECT_EQ(take_all(bucket, start + c.pause), c.tokens);
    }
  }
}

TEST(Http2Bucket, KeepsAPartOfAToken) {
  Bucket bucket;
  EXPECT_EQ(take_all(bucket, 0ms), 3u);
  EXPECT_EQ(take_all(bucket, 150ms), 1u);
  EXPECT_EQ(take_all(bucket, 200ms), 1u);
}

TEST(Http2Bucket, TakesTokensBackUpToABurst) {
  Bucket bucket;
  EXPECT_EQ(take_all(bucket, 0ms), 3u);
  bucket.give(kThree, 2, 0ms);
  EXPECT_EQ(take_all(bucket, 0ms), 2u);
  bucket.give(kThree, 1000000, 0ms);
  EXPECT_EQ(take_all(bucket, 0ms), 3u);
}

TEST(Http2Bucket, IsNotFilledAboveABurst) {
  Bucket bucket;
  bucket.give(kThree, 5, 0ms);
  EXPECT_EQ(take_all(bucket, 0ms), 3u);
}

} // namespace
} // namespace switchyard::http2

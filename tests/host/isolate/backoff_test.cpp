#include <host/isolate/backoff.hpp>

#include <gtest/gtest.h>

namespace switchyard::host {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, WaitsTwiceAsLongEachTime) {
  Backoff backoff{10s};
  EXPECT_EQ(backoff.after(3s), 0ms) << "the first time at once";
  EXPECT_EQ(backoff.after(0ms), 100ms);
  EXPECT_EQ(backoff.after(9'999ms), 200ms);
  EXPECT_EQ(backoff.after(0ms), 400ms);
  EXPECT_EQ(backoff.after(0ms), 800ms);
}

TEST(Backoff, WaitsNoLongerThanTheLongest) {
  Backoff backoff{250ms};
  for (const auto expected : {0ms, 100ms, 200ms, 250ms, 250ms})
    EXPECT_EQ(backoff.after(0ms), expected);
  Backoff impatient{1ms};
  for (const auto expected : {0ms, 1ms, 1ms})
    EXPECT_EQ(impatient.after(0ms), expected);
}

TEST(Backoff, BeginsAnewAfterALongLife) {
  Backoff backoff{10s};
  EXPECT_EQ(backoff.after(0ms), 0ms);
  EXPECT_EQ(backoff.after(0ms), 100ms);
  EXPECT_EQ(backoff.after(10s), 0ms);
  EXPECT_EQ(backoff.after(0ms), 100ms);
}

} // namespace
} // namespace switchyard::host

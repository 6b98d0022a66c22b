#include <host/log/sampler.hpp>

#include <gtest/gtest.h>

namespace switchyard::host {
namespace {

using namespace std::chrono_literals;
using Suppressed = std::vector<Sampler::Suppressed>;

constexpr Sampler::Clock::time_point kStart{1h};

int admitted(Sampler& sampler, std::string_view kind, int lines, Sampler::Clock::time_point now) {
  int count = 0;
  for (int i = 0; i < lines; ++i)
    count += sampler.admit(kind, now) ? 1 : 0;
  return count;
}

TEST(Sampler, LetsSoManyLinesASecondThrough) {
  Sampler sampler{3};
  EXPECT_EQ(admitted(sampler, "reset", 2, kStart), 2);
  EXPECT_EQ(admitted(sampler, "reset", 1000, kStart + 999ms), 1);
  EXPECT_EQ(admitted(sampler, "reset", 1000, kStart + 1s), 3);
}

TEST(Sampler, CountsEachKindByItself) {
  Sampler sampler{2};
  EXPECT_EQ(admitted(sampler, "reset", 10, kStart), 2);
  EXPECT_EQ(admitted(sampler, "timeout", 1, kStart), 1);
  EXPECT_EQ(sampler.suppressed(kStart + 1s), (Suppressed{{"reset", 8}}))
      << "a kind that stayed below the limit has nothing to tell";
}

TEST(Sampler, TellsEveryLineHeldBackOnce) {
  Sampler sampler{1};
  EXPECT_EQ(admitted(sampler, "reset", 5, kStart), 1);
  EXPECT_EQ(sampler.suppressed(kStart + 500ms), Suppressed{}) << "the second is not over";
  EXPECT_EQ(admitted(sampler, "reset", 3, kStart + 1500ms), 1);
  EXPECT_EQ(sampler.suppressed(kStart + 2s), (Suppressed{{"reset", 4}})) << "a new one has begun";
  EXPECT_EQ(sampler.suppressed(kStart + 2400ms), Suppressed{});
  EXPECT_EQ(sampler.suppressed(kStart + 2500ms), (Suppressed{{"reset", 2}}));
  EXPECT_EQ(sampler.suppressed(kStart + 1h), Suppressed{});
}

TEST(Sampler, HoldsABoundedNumberOfKinds) {
  Sampler sampler{1, 2};
  EXPECT_TRUE(sampler.admit("a", kStart));
  EXPECT_TRUE(sampler.admit("b", kStart));
  EXPECT_TRUE(sampler.admit("c", kStart));
  EXPECT_FALSE(sampler.admit("d", kStart)) << "c and d are one kind";
  EXPECT_EQ(sampler.suppressed(kStart + 1s), (Suppressed{{"other", 1}}));

  EXPECT_TRUE(sampler.admit("d", kStart + 1s)) << "kinds that were told make room";
  EXPECT_FALSE(sampler.admit("d", kStart + 1s));
  EXPECT_EQ(sampler.suppressed(kStart + 2s), (Suppressed{{"d", 1}}));
}

} // namespace
} // namespace switchyard::host

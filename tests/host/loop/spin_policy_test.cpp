#include <host/loop/spin_policy.hpp>

#include <gtest/gtest.h>

namespace switchyard::host {
namespace {

using namespace std::chrono_literals;

constexpr auto kLimit = 30us;

SpinPolicy after(
    int turns,
    std::size_t handlers,
    SpinPolicy::Duration gap,
    SpinPolicy policy,
    bool shared = false) {
  for (int i = 0; i < turns; ++i)
    policy.worked(handlers, gap, shared);
  return policy;
}

TEST(SpinPolicy, SleepsUntilWorkHasComeOftenEnough) {
  EXPECT_EQ(SpinPolicy{kLimit}.budget(), 0us);
  EXPECT_EQ(after(1, 1, 20us, SpinPolicy{kLimit}).budget(), 0us);
  EXPECT_EQ(after(16, 1, 20us, SpinPolicy{kLimit}).budget(), kLimit);
}

TEST(SpinPolicy, SleepsWhileWorkComesFromSeveral) {
  EXPECT_EQ(after(100, 3, 5us, SpinPolicy{kLimit}).budget(), 0us);
}

TEST(SpinPolicy, SleepsWhenThePeerTakesItsTime) {
  EXPECT_EQ(after(100, 1, 70us, SpinPolicy{kLimit}).budget(), 0us);
}

TEST(SpinPolicy, StopsWhenItPollsInVain) {
  const auto vain = after(100, 1, 50us, SpinPolicy{kLimit});
  EXPECT_EQ(vain.budget(), 0us);
  EXPECT_EQ(after(100, 1, 50us, vain).budget(), 0us) << "and does not begin again";
  EXPECT_EQ(after(100, 1, 20us, vain).budget(), kLimit) << "until work comes sooner";
  EXPECT_EQ(after(1, 1, 50us, after(1, 1, 1s, vain)).budget(), kLimit) << "or after a rest";
}

TEST(SpinPolicy, DoesNotTakeTheTimeToWakeForThePeersOwn) {
  const auto asleep = after(4, 1, 50us, after(20, 1, 80us, SpinPolicy{kLimit}));
  EXPECT_EQ(asleep.budget(), 0us);
  EXPECT_EQ(after(100, 1, 20us, after(12, 1, 50us, asleep)).budget(), kLimit);
}

TEST(SpinPolicy, SleepsWhileAnotherThreadGoesOn) {
  const auto shared = after(100, 1, 20us, SpinPolicy{kLimit}, true);
  EXPECT_EQ(shared.budget(), 0us);
  EXPECT_EQ(after(1, 1, 20us, shared).budget(), kLimit);
}

TEST(SpinPolicy, GetsOverALongRestSoon) {
  const auto busy = after(100, 1, 20us, SpinPolicy{kLimit});
  const auto rested = after(1, 1, 24h, busy);
  EXPECT_EQ(after(4, 1, 20us, rested).budget(), kLimit);
}

TEST(SpinPolicy, NeverPollsWithoutALimit) {
  EXPECT_EQ(after(100, 1, 0us, SpinPolicy{0us}).budget(), 0us);
}

} // namespace
} // namespace switchyard::host

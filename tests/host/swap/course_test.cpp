#include <host/swap/course.hpp>

#include <gtest/gtest.h>

namespace switchyard::host {
namespace {

using enum SwapPhase;
using enum SwapEvent;

TEST(SwapCourse, GoesOnePhaseAfterAnother) {
  auto phase = Verify;
  for (const auto next : {Plan, Probe, Start, Activate, Health, Answer, Flip, Window, Committed}) {
    const auto followed = after(phase, Done);
    ASSERT_EQ(followed, next) << passed(phase);
    phase = *followed;
  }
  EXPECT_TRUE(ended(phase));
}

// Every event in every phase.
TEST(SwapCourse, EndsWithTheOldOneUntilTheFlipAndWithOneOfTheTwoAfterIt) {
  for (std::size_t number = 0; number < kSwapPhases; ++number) {
    const auto phase = static_cast<SwapPhase>(number);
    SCOPED_TRACE(passed(phase));
    if (ended(phase)) {
      for (std::size_t event = 0; event < kSwapEvents; ++event)
        EXPECT_EQ(after(phase, static_cast<SwapEvent>(event)), std::nullopt);
      continue;
    }
    const auto in_window = phase == Window;
    EXPECT_EQ(after(phase, Refused), in_window ? RolledBack : Failed);
    EXPECT_EQ(after(phase, Ending), in_window ? Committed : Failed);
    EXPECT_EQ(after(phase, TakenBack), in_window ? std::optional{RolledBack} : std::nullopt);
    EXPECT_EQ(after(phase, Superseded), in_window ? std::optional{Committed} : std::nullopt);
    EXPECT_NE(after(phase, Done), std::nullopt);
  }
}

TEST(SwapCourse, HasAWordForEachPhase) {
  EXPECT_EQ(passed(Verify), "verified");
  EXPECT_EQ(passed(Flip), "flipped");
  EXPECT_EQ(passed(RolledBack), "rolled back");
  EXPECT_EQ(passed(Failed), "failed");
}

} // namespace
} // namespace switchyard::host

#include <host/loop/trim_policy.hpp>

#include <gtest/gtest.h>

namespace switchyard::host {
namespace {

constexpr auto kWorthwhile = TrimPolicy::kWorthwhile;

void open(TrimPolicy& policy, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    policy.opened();
}

void end(TrimPolicy& policy, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    policy.ended();
}

TEST(TrimPolicy, IsDueOnceHalfOfThePeakHasGone) {
  TrimPolicy policy;
  open(policy, 1'000);
  EXPECT_FALSE(policy.due());
  end(policy, 499);
  EXPECT_FALSE(policy.due());
  end(policy, 1);
  EXPECT_TRUE(policy.due());
}

TEST(TrimPolicy, IsNotDueForAFew) {
  TrimPolicy policy;
  open(policy, kWorthwhile - 1);
  end(policy, kWorthwhile - 1);
  EXPECT_FALSE(policy.due());
  open(policy, kWorthwhile);
  end(policy, kWorthwhile);
  EXPECT_TRUE(policy.due());
}

TEST(TrimPolicy, IsNotDueWhileOthersCome) {
  TrimPolicy policy;
  open(policy, 1'000);
  for (int i = 0; i < 10'000; ++i) {
    end(policy, 100);
    EXPECT_FALSE(policy.due());
    open(policy, 100);
  }
}

TEST(TrimPolicy, IsNoLongerDueWhenTheyCameBack) {
  TrimPolicy policy;
  open(policy, 1'000);
  end(policy, 1'000);
  open(policy, 501);
  EXPECT_FALSE(policy.due());
}

TEST(TrimPolicy, CountsFromTheLastTime) {
  TrimPolicy policy;
  open(policy, 1'000);
  end(policy, 600);
  policy.trimmed();
  EXPECT_FALSE(policy.due());
  end(policy, 199);
  EXPECT_FALSE(policy.due());
  end(policy, 1);
  EXPECT_TRUE(policy.due());
  EXPECT_EQ(policy.open(), 200);
}

} // namespace
} // namespace switchyard::host

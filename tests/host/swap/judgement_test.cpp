#include <host/swap/judgement.hpp>

#include <gtest/gtest.h>

namespace switchyard::host {
namespace {

TEST(SwapJudgement, ComparesWithTheLimitAndWithTheGenerationBefore) {
  const struct {
    const char* what;
    ConnectionAccount fresh;
    ConnectionAccount before;
    std::uint32_t errors;
    bool fails;
  } cases[] = {
      {"nothing has come", {0, 0}, {100, 0}, 10, false},
      {"too few to tell", {9, 9}, {100, 0}, 10, false},
      {"all fail", {10, 10}, {100, 0}, 10, true},
      {"at the limit", {100, 10}, {100, 0}, 10, false},
      {"above it", {100, 11}, {100, 0}, 10, true},
      {"the one before was as bad", {100, 50}, {100, 40}, 10, false},
      {"twice as bad as the one before, and more", {100, 50}, {1000, 240}, 10, true},
      {"there was none before", {100, 50}, {0, 0}, 10, true},
      {"none may fail", {1000, 1}, {1000, 0}, 0, true},
      {"all may fail", {1000, 1000}, {1000, 0}, 100, false},
  };

  for (const auto& c : cases)
    EXPECT_EQ(fails_too_often(c.fresh, c.before, c.errors), c.fails) << c.what;
}

} // namespace
} // namespace switchyard::host

#include "simulation/cluster.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace switchyard::raft::simulation {
namespace {

// Shares are tests that run beside each other, seeds those of one share.
#ifdef __SANITIZE_ADDRESS__
// What a seed decides is the same here, and takes several times as long.
constexpr std::uint64_t kShares = 16;
constexpr std::uint64_t kSeeds = 6;
constexpr std::uint64_t kSeedsSoaked = 200;
#else
constexpr std::uint64_t kShares = 128;
constexpr std::uint64_t kSeeds = 80;
constexpr std::uint64_t kSeedsSoaked = 7'813; // a million of all shares
#endif

std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// SWITCHYARD_RAFT_SEEDS sets the number for each share, SWITCHYARD_RAFT_SEED the first of them
/// all.
class RaftSimulation : public testing::TestWithParam<std::uint64_t> {};

TEST_P(RaftSimulation, HoldsWhatRaftPromises) {
  const bool soak = number("SWITCHYARD_SOAK", 0) != 0;
  const auto seeds = number("SWITCHYARD_RAFT_SEEDS", soak ? kSeedsSoaked : kSeeds);
  const auto first = number("SWITCHYARD_RAFT_SEED", 1) + GetParam() * seeds;
  Outcomes sum;
  std::uint64_t stuck = 0;
  for (auto seed = first; seed < first + seeds; ++seed) {
    const auto outcomes = simulate(seed);
    ASSERT_EQ(outcomes.violation, "")
        << "again: SWITCHYARD_RAFT_SEEDS=1 SWITCHYARD_RAFT_SEED=" << seed << " plugins_raft "
        << "--gtest_filter='*HoldsWhatRaftPromises/0'";
    sum.committed += outcomes.committed;
    sum.acknowledged += outcomes.acknowledged;
    sum.reads += outcomes.reads;
    sum.changes += outcomes.changes;
    sum.transfers += outcomes.transfers;
    sum.elections += outcomes.elections;
    stuck += outcomes.stuck ? 1 : 0;
  }
  // A simulation in which nothing gets done would hold everything.
  EXPECT_GT(sum.acknowledged, 10 * seeds);
  EXPECT_LE(stuck, 1 + seeds / 20);
  std::printf(
      "%ju seeds: %ju entries, %ju writes, %ju reads, %ju changes, %ju transfers, %ju terms, %ju "
      "stuck\n",
      std::uintmax_t{seeds},
      std::uintmax_t{sum.committed},
      std::uintmax_t{sum.acknowledged},
      std::uintmax_t{sum.reads},
      std::uintmax_t{sum.changes},
      std::uintmax_t{sum.transfers},
      std::uintmax_t{sum.elections},
      std::uintmax_t{stuck});
}

INSTANTIATE_TEST_SUITE_P(Share, RaftSimulation, testing::Range(std::uint64_t{0}, kShares));

/// Seeds that have found something, in the core or in the simulation.
TEST(RaftSimulationSeeds, FindNothingAnyMore) {
  // 43395: a leader that is elected at the last moment of peace has not committed anything yet.
  for (const std::uint64_t seed : {43395})
    EXPECT_EQ(simulate(seed).violation, "") << seed;
}

TEST(RaftSimulationSeeds, DecideEverything) {
  for (std::uint64_t seed : {1, 2, 3}) {
    const auto once = simulate(seed);
    EXPECT_EQ(once.trace, simulate(seed).trace);
    EXPECT_NE(once.trace, simulate(seed + 1).trace);
  }
}

} // namespace
} // namespace switchyard::raft::simulation

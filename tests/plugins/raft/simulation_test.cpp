#include "simulation/cluster.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace switchyard::raft::simulation {
namespace {

std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(RaftSimulation, HoldsWhatRaftPromises) {
  const auto first = number("SWITCHYARD_RAFT_SEED", 1);
  const auto seeds = number("SWITCHYARD_RAFT_SEEDS", 100);
  Outcomes sum;
  for (auto seed = first; seed < first + seeds; ++seed) {
    const auto outcomes = simulate(seed);
    ASSERT_EQ(outcomes.violation, "") << "SWITCHYARD_RAFT_SEEDS=1 SWITCHYARD_RAFT_SEED=" << seed;
    sum.committed += outcomes.committed;
    sum.acknowledged += outcomes.acknowledged;
    sum.reads += outcomes.reads;
    sum.changes += outcomes.changes;
    sum.transfers += outcomes.transfers;
    sum.elections += outcomes.elections;
  }
  std::printf(
      "%llu seeds: %llu entries, %llu writes, %llu reads, %llu changes, %llu transfers, "
      "%llu terms\n",
      static_cast<unsigned long long>(seeds),
      static_cast<unsigned long long>(sum.committed),
      static_cast<unsigned long long>(sum.acknowledged),
      static_cast<unsigned long long>(sum.reads),
      static_cast<unsigned long long>(sum.changes),
      static_cast<unsigned long long>(sum.transfers),
      static_cast<unsigned long long>(sum.elections));
}

TEST(RaftSimulation, IsDecidedByItsSeed) {
  for (std::uint64_t seed : {1, 2, 3}) {
    const auto once = simulate(seed);
    EXPECT_EQ(once.trace, simulate(seed).trace);
    EXPECT_NE(once.trace, simulate(seed + 1).trace);
  }
}

} // namespace
} // namespace switchyard::raft::simulation

#include "simulation/cluster.hpp"

#include <boost/assert.hpp>
#include <gtest/gtest.h>

#include <ostream>

/// A broken invariant is a violation like any other here.
void boost::assertion_failed(char const* text, char const*, char const* file, long) {
  throw switchyard::raft::simulation::Violated{std::string{file} + ": " + text};
}

void boost::assertion_failed_msg(
    char const* text, char const*, char const*, char const* file, long line) {
  boost::assertion_failed(text, nullptr, file, line);
}

namespace switchyard::raft {

int mutant = 0; // which one is on; see mutate.py

namespace simulation {
namespace {

/// More than any of them needs, by far.
constexpr std::uint64_t kSeedsMax = 2000;

struct Mutant {
  int number;
  std::string_view mistake;
};

std::ostream& operator<<(std::ostream& out, const Mutant& one) {
  return out << one.number;
}

class RaftMutant : public testing::TestWithParam<Mutant> {};

TEST_P(RaftMutant, IsFound) {
  mutant = GetParam().number;
  for (std::uint64_t seed = 1; seed <= kSeedsMax; ++seed) {
    const auto outcomes = simulate(seed);
    if (outcomes.violation.empty()) continue;
    std::printf(
        "seed %llu: %s\n", static_cast<unsigned long long>(seed), outcomes.violation.c_str());
    return;
  }
  FAIL() << GetParam().mistake;
}

constexpr Mutant kMutants[] = {
    {1, "commits entries of earlier terms by counting"},
    {2, "begins leadership without an entry of its own"},
    {3, "believes the last index of a good answer"},
    {4, "commits up to its own last index"},
    {5, "does not save a vote"},
    {6, "votes twice in a term"},
    {7, "forgets its vote when it steps down"},
    {8, "acknowledges entries before they are durable"},
    {9, "does not write that entries were taken back"},
    {10, "votes for the shorter log"},
    {11, "begins a change of servers before the last is committed"},
    {12, "keeps the configuration of an entry that was taken back"},
    {13, "keeps a log that contradicts a snapshot"},
    {14, "counts answers to an earlier term"},
    {15, "serves a read without asking the others"},
    {16, "lets a question for a vote change the term"},
    {17, "names a commit index beyond what a request covers"},
};

INSTANTIATE_TEST_SUITE_P(All, RaftMutant, testing::ValuesIn(kMutants), [](const auto& parameter) {
  return std::to_string(parameter.param.number);
});

TEST(RaftMutants, AreAllThatIsWrong) {
  mutant = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed)
    EXPECT_EQ(simulate(seed).violation, "") << seed;
}

} // namespace
} // namespace simulation
} // namespace switchyard::raft

#include <proto/consul/duration.hpp>

#include <gtest/gtest.h>

#include <fstream>

namespace switchyard::consul {
namespace {

TEST(ConsulDuration, IsWhatGoMakesOfIt) {
  std::ifstream durations{SWITCHYARD_SOURCE_DIR "/tests/vectors/go-duration/durations.txt"};
  std::size_t seen = 0;
  for (std::string line; std::getline(durations, line); ++seen) {
    const auto tab = line.find('\t');
    ASSERT_NE(tab, line.npos) << line;
    const auto text = line.substr(0, tab);
    const auto duration = parse_duration(text);
    const auto ours = duration
                          ? std::to_string(duration->count()) + '\t' + format_duration(*duration)
                          : duration.error().sentence;
    EXPECT_EQ(ours, line.substr(tab + 1)) << text;
  }
  EXPECT_GT(seen, 300U);
}

} // namespace
} // namespace switchyard::consul

#include <host/config/duration.hpp>

#include <gtest/gtest.h>

#include <cstdint>

namespace switchyard::host {
namespace {

using namespace std::chrono_literals;

TEST(Duration, IsOneNumberAndOneUnit) {
  const struct {
    std::string_view text;
    std::optional<std::chrono::microseconds> duration;
  } cases[] = {
      {"30us", 30us},
      {"250ms", 250ms},
      {"5s", 5s},
      {"2m", 2min},
      {"24h", 24h},
      {"0s", 0s},
      {"9223372036854775807us", std::chrono::microseconds{INT64_MAX}},
      {"9223372036854775808us", std::nullopt},
      {"9223372036854775807ms", std::nullopt},
      {"99999999999999999999s", std::nullopt},
      {"", std::nullopt},
      {"s", std::nullopt},
      {"5", std::nullopt},
      {"5 s", std::nullopt},
      {" 5s", std::nullopt},
      {"5s ", std::nullopt},
      {"-5s", std::nullopt},
      {"+5s", std::nullopt},
      {"1.5s", std::nullopt},
      {"1m30s", std::nullopt},
      {"5S", std::nullopt},
      {"5sec", std::nullopt},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    EXPECT_EQ(parse_duration(c.text), c.duration);
  }
}

TEST(Duration, IsWrittenInTheLargestUnitThatLosesNothing) {
  EXPECT_EQ(format_duration(0us), "0s");
  EXPECT_EQ(format_duration(30us), "30us");
  EXPECT_EQ(format_duration(1500ms), "1500ms");
  EXPECT_EQ(format_duration(90s), "90s");
  EXPECT_EQ(format_duration(120s), "2m");
  EXPECT_EQ(format_duration(48h), "48h");
}

} // namespace
} // namespace switchyard::host

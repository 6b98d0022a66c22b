// What is remembered of swapped versions, from their text to the quarantine.
#include <host/swap/swap_records.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace switchyard::host {
namespace {

using testing::HasSubstr;

CrashRecord crash_of(const char* sha256) {
  return {"a", 2, sha256, 11, "serve()"};
}

SwapRecord swapped() {
  return {
      .now = {"/d/kept/a-2.so", "22", "0.2.0", "/x/a.so", false},
      .before = KeptVersion{"/d/kept/a-1.so", "11", "0.1.0", "/lib/a.so", true}};
}

TEST(SwapRecords, AreReadAsTheyWereWritten) {
  SwapRecordMap records{
      {"a", swapped()},
      {"b", {.now = swapped().now, .before = {}, .crashes = 1, .on_trial = swapped().before}}};
  const auto read = parse_swap_records(to_text(records));
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(*read, records);
  EXPECT_EQ(parse_swap_records("{\"plugins\":{}}")->size(), 0U);
}

TEST(SwapRecords, AreWholeOrRefused) {
  const auto whole = to_text({{"a", swapped()}});
  for (std::size_t size = 0; size + 1 < whole.size(); ++size)
    EXPECT_FALSE(parse_swap_records(whole.substr(0, size))) << size;
  for (const auto* key : {"copy", "sha256", "version", "source", "configured", "crashes"}) {
    auto text = whole;
    text.replace(text.find(key), 1, "?");
    EXPECT_THAT(parse_swap_records(text).error(), HasSubstr("plugin a is not whole")) << key;
  }
  auto record = swapped();
  record.quarantined = true;
  record.before.reset();
  EXPECT_FALSE(parse_swap_records(to_text({{"a", record}}))) << "nothing would be left to start";
}

TEST(SwapRecords, QuarantineAtTheSecondCrash) {
  auto record = swapped();
  EXPECT_FALSE(count_crash(record, crash_of("33"))) << "another version's";
  EXPECT_EQ(record.crashes, 0U);
  EXPECT_FALSE(count_crash(record, crash_of("22")));
  EXPECT_EQ(record.crashes, 1U);
  EXPECT_TRUE(count_crash(record, crash_of("22")));
  EXPECT_TRUE(record.quarantined);
  EXPECT_FALSE(count_crash(record, crash_of("22"))) << "it is in it already";

  auto trial = swapped();
  trial.on_trial = KeptVersion{"/d/kept/a-3.so", "33", "0.3.0", "/x/a.so", true};
  EXPECT_FALSE(count_crash(trial, crash_of("22"))) << "what was before it";
  EXPECT_TRUE(count_crash(trial, crash_of("33"))) << "at once";
  EXPECT_EQ(trial.now.version, "0.3.0");
  EXPECT_EQ(trial.before, swapped().now);
  EXPECT_EQ(trial.on_trial, std::nullopt);

  auto only = swapped();
  only.before.reset();
  for (int crash = 0; crash < 5; ++crash)
    EXPECT_FALSE(count_crash(only, crash_of("22"))) << "there is no other";
}

} // namespace
} // namespace switchyard::host

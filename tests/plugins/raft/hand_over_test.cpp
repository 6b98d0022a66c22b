#include <switchyard/failure.hpp>

#include <plugins/raft/driver/hand_over.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace switchyard::raft {
namespace {

HandOver decode(std::string_view text) {
  return decode_hand_over(std::as_bytes(std::span{text}));
}

TEST(RaftHandOver, IsReadAsItWasWritten) {
  const HandOver handed{
      "s1", {7, std::string{"\xff\x00:1", 4}}, UINT64_MAX, 6, 3, 9, true, "entry 4: \"no\"\n\xfe"};
  EXPECT_EQ(decode(encode(handed)), handed);
  EXPECT_EQ(decode(encode(HandOver{})), HandOver{});
}

TEST(RaftHandOver, IsRefusedWhenItIsSomethingElse) {
  const auto with = [](std::string_view key, std::string_view value) {
    std::string text = R"({"id":"s1","term":3,"vote":"","last_index":9,"last_term":3,)"
                       R"("snapshot_index":2,"commit_index":8,"leads":false,"machine_error":""})";
    const auto at = text.find('"' + std::string{key} + "\":") + key.size() + 3;
    return text.replace(at, text.find_first_of(",}", at) - at, value);
  };
  EXPECT_EQ(decode(with("term", "3")).ballot.term, 3U);

  const struct {
    std::string text;
    const char* says;
  } kCases[] = {
      {"", "no JSON object"},
      {"[]", "no JSON object"},
      {"{}", "\"id\" is missing"},
      {with("term", "3") + "x", "no JSON object"},
      {with("id", "[[[1]]]"), "no JSON object"},
      {with("id", "1"), "\"id\""},
      {with("term", "-1"), "\"term\""},
      {with("term", "1.5"), "\"term\""},
      {with("term", "18446744073709551616"), "\"term\""},
      {with("vote", "null"), "\"vote\""},
      {with("leads", "0"), "\"leads\""},
      {with("term", "2"), "contradict"},           // the log is of a later one
      {with("commit_index", "10"), "contradict"},  // more than there is
      {with("snapshot_index", "9"), "contradict"}, // of what is not committed
  };

  for (const auto& c : kCases) {
    try {
      static_cast<void>(decode(c.text));
      FAIL() << c.text;
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.status(), SY_INVALID);
      EXPECT_THAT(failure.what(), testing::HasSubstr(c.says)) << c.text;
    }
  }
}

} // namespace
} // namespace switchyard::raft

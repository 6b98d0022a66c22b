#include <host/plugin/refusal.hpp>

#include <gtest/gtest.h>

namespace switchyard::host {
namespace {

TEST(Refusal, FillsItsSentence) {
  const auto refusal = refuse(RefusalCode::FileMissing, "echo", {"/x/echo.so", "plugins.toml:7"});
  EXPECT_EQ(refusal.code, RefusalCode::FileMissing);
  EXPECT_EQ(
      refusal.text,
      "plugin echo: /x/echo.so does not exist: install it, or correct library at plugins.toml:7");
}

TEST(Refusal, NamesNoPluginWhenItIsAboutNone) {
  EXPECT_EQ(
      refuse(RefusalCode::StagingUnusable, "", {"/x", "why"}).text,
      "/x, where copies of plugins are kept, cannot be used: why: correct data_dir under [host]");
}

TEST(Refusal, StaysOneLineWhateverAPluginSays) {
  EXPECT_EQ(
      refuse(RefusalCode::CallFailed, "a\nb", {"init()", "{}\r\n\x1b[31mred\x7f"}).text,
      "plugin a b: init() failed: {}   [31mred ");
}

// It goes to the parent of the trial process and to the command line as JSON, which is UTF-8.
TEST(Refusal, IsUtf8WhateverAPluginSays) {
  const struct {
    std::string_view said;
    std::string_view told;
  } cases[] = {
      {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9a\x82", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9a\x82"},
      {"caf\xe9.", "caf?."},
      {"cut \xe2\x82", "cut ??"},
      {"long \xc0\xaf \xe0\x9f\xbf \xf0\x8f\xbf\xbf", "long ?? ??? ????"},
      {"half \xed\xa0\x80", "half ???"},
      {"past \xf4\x90\x80\x80 \xf5", "past ???? ?"},
      {"\x80\xc3\n", "?? "},
  };

  for (const auto& c : cases) {
    EXPECT_EQ(
        refuse(RefusalCode::CallFailed, "a", {"init()", c.said}).text,
        "plugin a: init() failed: " + std::string{c.told});
  }
}

} // namespace
} // namespace switchyard::host

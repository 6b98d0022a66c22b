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

} // namespace
} // namespace switchyard::host

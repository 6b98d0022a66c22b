#include <host/plugin/probe.hpp>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <tests/host/broken_plugins/yard.hpp>

#include <fcntl.h>
#include <unistd.h>
#include <vector>

namespace switchyard::host {
namespace {

using namespace std::chrono_literals;

ProbeRequest request(const Yard& yard, const std::string& name) {
  const auto path = yard.put(name).string();
  return {
      .plugin = name,
      .path = path,
      .staged = path,
      .manifest = "{\"abi\":\"0.5\",\"id\":\"test." + name + "\",\"version\":\"1.0.0\"}",
      .platform = {},
      .config = "{}",
      .config_place = "plugins.toml:1"};
}

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all{"/proc/self/fd"};
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

TEST(Probe, LeavesNothingBehind) {
  const Yard yard;
  const auto before = open_descriptors();
  EXPECT_TRUE(probe_plugin(request(yard, "one"), 60s));
  EXPECT_FALSE(probe_plugin(request(yard, "crash_in_check"), 60s));
  EXPECT_FALSE(probe_plugin(request(yard, "hang_in_check"), 200ms));
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "no child is left";
  EXPECT_EQ(errno, ECHILD);
}

TEST(Probe, CarriesAConfigurationLargerThanAPipe) {
  const Yard yard;
  auto large = request(yard, "no_check");
  large.config = "{\"key\":\"" + std::string(1 << 20, 'x') + "\"}";
  const auto probed = probe_plugin(large, 60s);
  ASSERT_FALSE(probed);
  EXPECT_EQ(probed.error().code, RefusalCode::ConfigNotTaken);
}

// A descriptor that somebody opens without O_CLOEXEC is not the plugin's either.
TEST(Probe, GivesThePluginNoDescriptorOfOurs) {
  const Yard yard;
  const auto leaky = ::fcntl(STDERR_FILENO, F_DUPFD, 100);
  ASSERT_GE(leaky, 100);
  auto asking = request(yard, "one");
  asking.config = "{\"descriptor\":" + std::to_string(leaky) + "}";
  const auto probed = probe_plugin(asking, 60s);
  ::close(leaky);
  ASSERT_FALSE(probed);
  EXPECT_EQ(
      probed.error().text,
      "plugin one: does not take its config at plugins.toml:1: descriptor: it is not open here");
}

TEST(Probe, SaysThatItCannotStart) {
  const Yard yard;
  const auto probed = probe_plugin(request(yard, "one"), 60s, "/no/such/program");
  ASSERT_FALSE(probed);
  EXPECT_EQ(
      probed.error().text,
      "plugin one: its trial process cannot be started: No such file or directory");
}

TEST(Probe, SaysThatNoDescriptorIsLeft) {
  const Yard yard;
  const auto asking = request(yard, "one");
  ASSERT_TRUE(probe_plugin(asking, 60s)); // the undefined sanitizer opens pipes on the way
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{64, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  std::vector<int> taken;
  for (int one = ::dup(0); one >= 0; one = ::dup(0))
    taken.push_back(one);

  bool probed = false;
  for (; !probed && !taken.empty(); taken.pop_back()) {
    const auto judged = probe_plugin(asking, 60s);
    probed = judged.has_value();
    if (!probed) {
      EXPECT_EQ(
          judged.error().text,
          "plugin one: its trial process cannot be started: Too many open files");
    }
    ::close(taken.back());
  }
  EXPECT_TRUE(probed);
  for (const int one : taken)
    ::close(one);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST(Probe, BelievesNoOtherProgram) {
  const Yard yard;
  const auto probed = probe_plugin(request(yard, "one"), 60s, "/bin/true");
  ASSERT_FALSE(probed);
  EXPECT_EQ(probed.error().code, RefusalCode::ProbeExit);
}

} // namespace
} // namespace switchyard::host

#include <host/swap/admission.hpp>

#include <gtest/gtest.h>

namespace switchyard::host {
namespace {

SwapStanding standing(std::string name) {
  return {
      .name = std::move(name),
      .phase = std::nullopt,
      .live = 1,
      .retained = 0,
      .leaving = {},
      .registered_for_good = {},
      .pinned = {}};
}

std::string said(const SwapStanding& plugin, const std::vector<SwapStanding>& related = {}) {
  const auto refusal = not_now(plugin, related, {});
  return refusal ? refusal->text : std::string{};
}

TEST(SwapAdmission, LetsAPluginBeSwappedThatIsLeftAlone) {
  auto plugin = standing("netrpc");
  EXPECT_EQ(said(plugin, {standing("catalog")}), "");
  plugin.live = 2; // one drains
  plugin.retained = kRetainedMax - 1;
  EXPECT_EQ(said(plugin), "");
  plugin.phase = SwapPhase::Window; // the next swap ends it
  EXPECT_EQ(said(plugin), "");
}

TEST(SwapAdmission, TakesOneAtATime) {
  for (const auto phase : {SwapPhase::Verify, SwapPhase::Probe, SwapPhase::Flip}) {
    auto plugin = standing("netrpc");
    plugin.phase = phase;
    EXPECT_EQ(said(plugin), "plugin netrpc: is being swapped already: wait until that has ended");
    EXPECT_EQ(
        said(standing("catalog"), {plugin}),
        "plugin catalog: shares interfaces with plugin netrpc, which is being swapped: one of them "
        "at a time, wait until that has ended");
  }
  auto plugin = standing("netrpc");
  plugin.phase = SwapPhase::Window;
  EXPECT_EQ(
      said(standing("catalog"), {plugin}),
      "plugin catalog: shares interfaces with plugin netrpc, which is in its rollback window: one "
      "of "
      "them at a time, wait until that has ended");
}

TEST(SwapAdmission, BoundsTheGenerations) {
  auto plugin = standing("netrpc");
  plugin.live = 3;
  plugin.leaving = {"generation 4: 2 connections", "generation 3: 1 connections"};
  EXPECT_EQ(
      said(plugin),
      "plugin netrpc: has 3 generations and swap.generations is 3: wait until one has left "
      "(generation 4: 2 connections, generation 3: 1 connections)");
  plugin.phase = SwapPhase::Window;
  plugin.leaving.pop_back();
  EXPECT_EQ(
      said(plugin),
      "plugin netrpc: has 3 generations and swap.generations is 3: wait until one has left "
      "(the one in its rollback window, generation 4: 2 connections)");
}

TEST(SwapAdmission, BoundsTheCodeThatStays) {
  auto plugin = standing("netrpc");
  plugin.retained = kRetainedMax;
  EXPECT_EQ(
      said(plugin),
      "plugin netrpc: has left the code of 16 generations in memory: restart the server before its "
      "next swap");
}

TEST(SwapAdmission, RefusesARegistrantWhoseProviderCannotExchange) {
  auto plugin = standing("catalog");
  plugin.registered_for_good = "com.example.clock/1";
  EXPECT_EQ(
      said(plugin),
      "plugin catalog: has registered something with com.example.clock/1, whose provider cannot "
      "exchange it: restart the server with its new version");
}

TEST(SwapAdmission, RefusesAProviderThatAUserWantsPinned) {
  auto plugin = standing("clock");
  plugin.pinned = {"com.example.clock/1", "alarm"};
  EXPECT_EQ(
      said(plugin),
      "plugin clock: provides com.example.clock/1 to plugin alarm, which wants it pinned: stop "
      "that one first, or restart the server");
}

} // namespace
} // namespace switchyard::host

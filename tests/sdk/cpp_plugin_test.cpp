#include <switchyard/failure.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tests/peer/fake_host.hpp>
#include <tests/peer/plugin_file.hpp>
#include <tests/peer/socket_pair.hpp>

#include <array>
#include <future>
#include <optional>
#include <vector>

namespace switchyard {
namespace {

using namespace peer;
using testing::Each;

sy_string text(std::string_view view) {
  return {view.data(), view.size()};
}

TEST(CppPlugin, ServesDrainsAndLeaves) {
  FakeHost host{2};
  PluginFile plugin{SHOUT_PLUGIN};
  EXPECT_STREQ(plugin->id, "com.example.shout");

  auto error = make_error();
  EXPECT_EQ(plugin->check_config(text("{}"), &error), SY_OK);
  EXPECT_EQ(plugin->check_config(text("{\"a\":1}"), &error), SY_INVALID);
  EXPECT_STREQ(error.text, "this plugin has no settings");

  sy_instance* instance = nullptr;
  ASSERT_EQ(plugin->init(host.get(), text("{}"), &instance, &error), SY_OK) << error.text;
  EXPECT_EQ(plugin->start(instance, &error), SY_OK);
  EXPECT_EQ(plugin->activate(instance, &error), SY_OK);

  std::vector<Socket> peers;
  for (std::uint32_t loop = 0; loop < 2; ++loop) {
    auto [ours, theirs] = socket_pair();
    peers.push_back(std::move(ours));
    host.on_loop(loop, [&, descriptor = theirs.release()] {
      EXPECT_EQ(plugin->serve(instance, 0, host.connect(descriptor)), SY_OK);
    });
  }
  for (const auto& peer : peers) {
    peer.send("hello");
    EXPECT_EQ(peer.receive(5), "HELLO");
  }
  EXPECT_EQ(host.metric("served_total"), 2);

  std::promise<void> drained;
  EXPECT_EQ(
      plugin->drain(
          instance,
          0,
          [](void* context) { static_cast<std::promise<void>*>(context)->set_value(); },
          &drained),
      SY_OK);
  drained.get_future().wait();
  EXPECT_THAT(host.closed(2), Each(SY_CLOSE_FINISHED));
  EXPECT_EQ(plugin->stop(instance, &error), SY_OK);
  for (std::uint32_t loop = 0; loop < 2; ++loop)
    host.on_loop(loop, [] {}); // nothing of the plugin is on its stack any more
  plugin->destroy(instance);
  EXPECT_TRUE(plugin.unload());
}

TEST(CppPlugin, LeavesWhileAnotherCopyStays) {
  PluginFile stays{SHOUT_PLUGIN_COPY};
  auto error = make_error();
  EXPECT_EQ(stays->check_config(text("{}"), &error), SY_OK);
  PluginFile leaves{SHOUT_PLUGIN};
  EXPECT_EQ(leaves->check_config(text("{}"), &error), SY_OK);
  EXPECT_TRUE(leaves.unload());
  EXPECT_EQ(stays->check_config(text("{}"), &error), SY_OK);
  EXPECT_TRUE(stays.unload());
}

#ifdef SHOUT_PLUGIN_PLAIN
TEST(CppPlugin, StaysWithoutTheFlagsOfTheSdk) {
  PluginFile plain{SHOUT_PLUGIN_PLAIN};
  EXPECT_FALSE(plain.unload()); // or this file proves nothing
}
#endif

} // namespace
} // namespace switchyard

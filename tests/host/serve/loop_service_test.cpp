#include <gtest/gtest.h>
#include <sys/socket.h>
#include <tests/host/serve/plugin_fixture.hpp>

#include <unistd.h>

namespace switchyard::host {
namespace {

struct LoopService : testing::Test {
  Config config;
  PluginFixture plugin{config};
};

/// A callback that says where it ran.
struct Ran {
  static void run(void* context) {
    auto& self = *static_cast<Ran*>(context);
    self.loop.set_value(self.loops->current(nullptr));
  }

  const sy_loops* loops;
  std::promise<std::uint32_t> loop{};
};

TEST_F(LoopService, RunsAPostOnTheLoopItNames) {
  Ran ran{&plugin.loops()};
  EXPECT_EQ(plugin.loops().current(plugin.host()), SY_NO_LOOP);
  EXPECT_EQ(plugin.loops().post(plugin.host(), 1, &Ran::run, &ran), SY_OK);
  EXPECT_EQ(ran.loop.get_future().get(), 1U);
  EXPECT_EQ(plugin.loops().post(plugin.host(), 2, &Ran::run, &ran), SY_INVALID);
}

TEST_F(LoopService, RefusesWorkOnceTheInstanceHasStopped) {
  Ran ran{&plugin.loops()};
  plugin.services().phase = ServicePhase::Stopped;
  EXPECT_EQ(plugin.loops().post(plugin.host(), 0, &Ran::run, &ran), SY_CANCELLED);
  sy_timer* timer = nullptr;
  plugin.run([&] {
    EXPECT_EQ(plugin.loops().start_timer(plugin.host(), 0, &Ran::run, &ran, &timer), SY_CANCELLED);
  });
}

TEST_F(LoopService, FiresATimerOnce) {
  Ran ran{&plugin.loops()};
  sy_timer* timer = nullptr;
  plugin.run([&] {
    const auto due = plugin.loops().now(plugin.host());
    EXPECT_EQ(plugin.loops().start_timer(plugin.host(), due, &Ran::run, &ran, &timer), SY_OK);
  });
  EXPECT_EQ(ran.loop.get_future().get(), 0U);
  plugin.run([] {}); // the loop has counted it by now
  EXPECT_EQ(plugin.services().timers, 0U);
}

TEST_F(LoopService, DoesNotFireAStoppedTimerEvenIfItIsDue) {
  bool fired = false;
  plugin.run([&] {
    sy_timer* timer = nullptr;
    plugin.loops().start_timer(
        plugin.host(),
        0,
        [](void* context) { *static_cast<bool*>(context) = true; },
        &fired,
        &timer);
    plugin.loops().stop_timer(plugin.host(), timer);
  });
  plugin.run([] {});
  plugin.run([] {});
  EXPECT_FALSE(fired);
  EXPECT_EQ(plugin.services().timers, 0U);
}

TEST_F(LoopService, IsNeededToStartATimer) {
  sy_timer* timer = nullptr;
  EXPECT_EQ(
      plugin.loops().start_timer(
          plugin.host(), 0, [](void*) {}, nullptr, &timer),
      SY_INVALID);
}

TEST_F(LoopService, MakesAConnectionOfASocketAndCountsIt) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  plugin.run([&] {
    sy_connection* connection = nullptr;
    ASSERT_EQ(plugin.loops().adopt(plugin.host(), ends[0], &connection), SY_OK);
    EXPECT_EQ(plugin.services().connections, 1U);
    char byte = 0;
    std::size_t transferred = 0;
    EXPECT_EQ(connection->api->try_read(connection, &byte, 1, &transferred), SY_AGAIN);
    connection->api->close(connection, SY_CLOSE_FINISHED);
    EXPECT_EQ(plugin.services().connections, 0U);
  });
  char byte = 0;
  EXPECT_EQ(::read(ends[1], &byte, 1), 0);
  ::close(ends[1]);
}

TEST_F(LoopService, AdoptsNothingWhileThePluginDrains) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  plugin.services().draining = true;
  plugin.run([&] {
    sy_connection* connection = nullptr;
    EXPECT_EQ(plugin.loops().adopt(plugin.host(), ends[0], &connection), SY_CANCELLED);
  });
  char byte = 0;
  EXPECT_EQ(::read(ends[1], &byte, 1), 0); // closed all the same
  ::close(ends[1]);
}

TEST_F(LoopService, ClosesWhatAPluginHasForgotten) {
  int forgotten[2];
  int handed_out[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, forgotten), 0);
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, handed_out), 0);
  bool told = false;
  sy_descriptor descriptor{};
  descriptor.struct_size = sizeof descriptor;
  plugin.run([&] {
    sy_connection* connection = nullptr;
    ASSERT_EQ(plugin.loops().adopt(plugin.host(), forgotten[0], &connection), SY_OK);
    const auto tell = [](void* context, sy_status, std::size_t) {
      *static_cast<bool*>(context) = true;
    };
    EXPECT_EQ(connection->api->wait_readable(connection, tell, &told), SY_OK);
    ASSERT_EQ(plugin.loops().adopt(plugin.host(), handed_out[0], &connection), SY_OK);
    EXPECT_EQ(connection->api->detach(connection, &descriptor), SY_OK);
  });
  plugin.services().phase = ServicePhase::Stopped;
  plugin.services().close_connections();
  char byte = 0;
  EXPECT_EQ(::read(forgotten[1], &byte, 1), 0);
  EXPECT_EQ(::read(handed_out[1], &byte, 1), 0);
  EXPECT_EQ(
      plugin.services().leftovers(std::chrono::steady_clock::now() + std::chrono::seconds{30}), "");
  EXPECT_FALSE(told) << "nobody is there";
  ::close(descriptor.descriptor);
  ::close(forgotten[1]);
  ::close(handed_out[1]);
}

} // namespace
} // namespace switchyard::host

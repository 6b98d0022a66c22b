#include "instance_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace switchyard::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Now = std::chrono::steady_clock;

TEST(InstanceServices, AreFoundByTheirIds) {
  LoggedServices process;
  const sy_loops loops{};
  const sy_dial dial{};
  InstanceServices with{process.services, {&loops, &dial, nullptr}, "echo", {}};
  InstanceServices without{process.services, {}, "echo", {}};
  const auto find = [](const InstanceServices& of, const char* id) {
    return of.host.service(&of.host, id);
  };

  EXPECT_EQ(find(with, SY_LOOPS), &loops);
  EXPECT_EQ(find(with, SY_DIAL), &dial);
  EXPECT_EQ(find(with, SY_THREADS), &threads_table());
  EXPECT_EQ(find(with, SY_METRICS), &metrics_table());
  EXPECT_EQ(find(with, SY_INTERFACES), &interfaces_table());
  EXPECT_EQ(find(with, SY_JOURNAL), &journal_table());
  EXPECT_EQ(find(with, "switchyard.host.loops/2"), nullptr);
  EXPECT_EQ(find(without, SY_LOOPS), nullptr);
  EXPECT_EQ(&InstanceServices::of(&with.host), &with);
}

TEST(InstanceServices, WriteOneCleanLineUnderThePluginsName) {
  LoggedServices process;
  InstanceServices instance{process.services, {}, "echo", {}};
  const auto log = [&](sy_log_level level, std::string_view line) {
    instance.host.log(&instance.host, level, text(line));
  };

  log(SY_LOG_DEBUG, "below the level");
  log(SY_LOG_WARN, "bad frame peer=\x1b[31m\r\nforged line\x7f");
  log(99, "level nobody knows");
  log(SY_LOG_INFO, std::string(kLogLineMax + 1, 'x'));
  log(SY_LOG_INFO, {});

  EXPECT_THAT(
      process.lines,
      ElementsAre(
          "echo 3 bad frame peer= [31m  forged line ",
          "echo 4 level nobody knows",
          "echo 2 " + std::string(kLogLineMax, 'x'),
          "echo 2 "));
  EXPECT_EQ(instance.host.log_enabled(&instance.host, SY_LOG_DEBUG), 0U);
  EXPECT_EQ(instance.host.log_enabled(&instance.host, SY_LOG_INFO), 1U);
}

TEST(InstanceServices, NameWhatIsLeft) {
  LoggedServices process;
  InstanceServices instance{process.services, {}, "echo", {"clock/1"}};
  EXPECT_EQ(instance.leftovers(Now::now()), "");

  int provider = 0;
  sy_interface* handle = nullptr;
  sy_lease lease{};
  EXPECT_THAT(
      process.services.interfaces.publish(
          "clock/1", &provider, &provider, Interfaces::Clock::now()),
      IsEmpty());
  ASSERT_EQ(interfaces_table().open(&instance.host, "clock/1", &handle, nullptr), SY_OK);
  ASSERT_EQ(interfaces_table().acquire(handle, &lease), SY_OK);
  instance.connections = 2;
  instance.dials = 1;
  instance.timers = 1;
  instance.posts = 3;
  EXPECT_EQ(instance.leftovers(Now::now()), "2 connections, 1 dial, 1 timer, 3 posts, 1 lease");

  instance.connections = 0;
  instance.dials = 0;
  instance.timers = 0;
  instance.posts = 0;
  interfaces_table().release(&lease);
  EXPECT_EQ(instance.leftovers(Now::now()), "");
}

TEST(InstanceServices, WaitForAPostThatIsOnItsWayBack) {
  LoggedServices process;
  InstanceServices instance{process.services, {}, "echo", {}};
  std::atomic<bool> looked_for{false};
  instance.posts = 1;

  std::thread loop{[&] {
    while (!looked_for)
      std::this_thread::yield();
    instance.ended(instance.posts);
  }};
  looked_for = true;
  EXPECT_EQ(instance.leftovers(Now::now() + std::chrono::seconds{60}), "");
  loop.join();
}

TEST(InstanceServices, GiveNoPlaceToAConnectionOnceItDrains) {
  LoggedServices process;
  InstanceServices instance{process.services, {}, "echo", {}};
  std::atomic<std::uint64_t> given{0};
  std::atomic<bool> refused{false};

  std::thread loop{[&] {
    while (instance.connection_opened()) {
      ++given;
      instance.connection_closed();
    }
    refused = true;
  }};
  while (given < 1000)
    std::this_thread::yield();
  instance.draining = true;
  loop.join();

  EXPECT_TRUE(refused);
  EXPECT_EQ(instance.connections, 0U);
}

} // namespace
} // namespace switchyard::host

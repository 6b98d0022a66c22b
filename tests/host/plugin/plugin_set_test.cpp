// The life of whole plugins, from the file to the proof that they have gone.
#include <host/plugin/plugin_set.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tests/host/broken_plugins/yard.hpp>

#include <atomic>

namespace switchyard::host {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

bool is_mapped(const std::string& name) {
  return read_file("/proc/self/maps").find(name) != std::string::npos;
}

/// Starts `fixtures`, none of which is refused.
class RunningSet {
public:
  RunningSet(Yard& yard, std::initializer_list<const char*> fixtures) {
    for (const auto* fixture : fixtures)
      yard.put_and_enable(fixture);
    set.emplace(yard.config, yard.services, LoopServices{});
    EXPECT_THAT(texts(set->start()), IsEmpty());
  }

  Instance& operator[](std::string_view name) { return set->find(name)->serving(); }

  std::optional<PluginSet> set;
};

TEST(PluginSet, ServesAndLeavesTheProcess) {
  Yard yard;
  RunningSet running{yard, {"one", "tag_64"}};

  auto& one = running["one"];
  EXPECT_EQ(one.state(), PluginState::Serving);
  EXPECT_EQ(one.generation(), 1U);
  EXPECT_EQ(one.manifest()->id, "test.one");
  EXPECT_TRUE(is_mapped(one.staged()));
  EXPECT_THAT(one.staged(), HasSubstr("/test.one-1.0.0-" + one.sha256().substr(0, 8) + "-g1.so"));
  EXPECT_TRUE(one.health());
  const auto* route = running.set->dispatch()->routes.by_tag(64);
  ASSERT_NE(route, nullptr);
  EXPECT_EQ(running.set->plugins()[route->plugin]->name(), "tag_64");
  EXPECT_EQ(running.set->find("two"), nullptr);

  const auto staged = one.staged();
  running.set->stop();
  EXPECT_EQ(one.state(), PluginState::Unloaded);
  EXPECT_EQ(running["tag_64"].state(), PluginState::Unloaded);
  EXPECT_FALSE(is_mapped(staged));
  EXPECT_FALSE(std::filesystem::exists(staged));
}

TEST(PluginSet, LeadsConsumersToTheirProviders) {
  Yard yard;
  {
    RunningSet running{yard, {"alarm", "alarm_optional", "clock"}};
    for (const auto* consumer : {"alarm", "alarm_optional"}) {
      const auto health = running[consumer].health();
      ASSERT_FALSE(health);
      EXPECT_THAT(health.error().text, HasSubstr("health() failed: clock=42"));
    }
    EXPECT_THAT(yard.services.metrics.text(), HasSubstr("\nswitchyard_clock_bindings 2"))
        << "both have registered";
    running.set->stop();
    for (const auto& plugin : running.set->plugins()) {
      EXPECT_EQ(plugin->serving().state(), PluginState::Unloaded) << plugin->serving().why();
    }
  }
  EXPECT_THAT(
      yard.log(),
      ElementsAre(
          HasSubstr("clock serving "),
          HasSubstr("alarm serving "),
          HasSubstr("alarm_optional serving "),
          HasSubstr("alarm_optional unloaded "),
          HasSubstr("alarm unloaded "),
          HasSubstr("clock unloaded ")));
  EXPECT_THAT(yard.services.metrics.text(), Not(HasSubstr("bindings")));
}

TEST(PluginSet, LetsAnOptionalConsumerServeAlone) {
  Yard yard;
  RunningSet running{yard, {"alarm_optional"}};
  EXPECT_THAT(running["alarm_optional"].health().error().text, HasSubstr("no clock"));
  running.set->stop();
  EXPECT_EQ(running["alarm_optional"].state(), PluginState::Unloaded);
}

TEST(PluginSet, TakesNoConnectionWhileItDrains) {
  Yard yard;
  RunningSet running{yard, {"one", "drain_in_abort"}};
  auto& place = running["one"].services();
  ASSERT_TRUE(place.connection_opened());
  std::atomic<int> done{0};

  running.set->drain(0, [&] { ++done; });
  EXPECT_EQ(running["one"].state(), PluginState::Draining);
  EXPECT_FALSE(place.connection_opened());
  EXPECT_EQ(done, 0) << "one of them has not drained";
  running.set->abort_all();
  EXPECT_EQ(done, 1);

  place.connection_closed();
  running.set->stop();
  EXPECT_EQ(running["one"].state(), PluginState::Unloaded);
  EXPECT_EQ(running["drain_in_abort"].state(), PluginState::Unloaded);
  EXPECT_EQ(done, 1);
}

TEST(PluginSet, IsDrainedWhenNothingServes) {
  Yard yard;
  PluginSet set{yard.config, yard.services, {}};
  EXPECT_THAT(set.start(), IsEmpty());
  int done = 0;
  set.drain(0, [&] { ++done; });
  EXPECT_EQ(done, 1);
}

TEST(PluginSet, CountsADrainThatFailsAsDone) {
  Yard yard;
  RunningSet running{yard, {"one", "fail_in_drain"}};
  int done = 0;
  running.set->drain(0, [&] { ++done; });
  EXPECT_EQ(done, 1);
  EXPECT_THAT(
      yard.log(),
      Contains("fail_in_drain plugin fail_in_drain: drain() failed: it does not say why"));
  running.set->stop();
  EXPECT_EQ(running["fail_in_drain"].state(), PluginState::Unloaded);
}

TEST(PluginSet, UnloadsWhatHasLeftAThreadLocalObjectBehind) {
  Yard yard;
  RunningSet running{yard, {"thread_local_object"}};
  running.set->stop();
  EXPECT_EQ(running["thread_local_object"].state(), PluginState::Unloaded)
      << running["thread_local_object"].why();
}

TEST(PluginSet, RetainsWhatIsNotKnownToHaveEnded) {
  const struct {
    const char* fixture;
    std::string why;
  } cases[] = {
      {"fail_in_stop",
       "plugin fail_in_stop: its code stays in memory: plugin fail_in_stop: stop() failed: a "
       "thread "
       "does not end"},
      {"leave_thread", "plugin leave_thread: its code stays in memory: 1 thread left"},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.fixture);
    Yard yard;
    RunningSet running{yard, {c.fixture, "one"}};
    const auto staged = running[c.fixture].staged();
    running.set->stop();
    EXPECT_EQ(running[c.fixture].state(), PluginState::Retained);
    EXPECT_EQ(running[c.fixture].why(), c.why);
    EXPECT_TRUE(is_mapped(staged));
    EXPECT_TRUE(std::filesystem::exists(staged)) << "a backtrace needs it";
    EXPECT_EQ(running["one"].state(), PluginState::Unloaded);
  }
}

TEST(PluginSet, RetainsWhatStillHasAConnection) {
  Yard yard;
  yard.config.limits.control_timeout = 4s; // how long it waits for the connection
  RunningSet running{yard, {"one", "two"}};
  ASSERT_TRUE(running["one"].services().connection_opened());
  running.set->stop();
  EXPECT_EQ(running["one"].why(), "plugin one: its code stays in memory: 1 connection left");
  EXPECT_EQ(running["two"].state(), PluginState::Unloaded);
}

// Each of these is given up after its limit, and the plugin beside it does not notice.
TEST(PluginSet, GivesUpWhatHangs) {
  for (const auto* fixture : {"hang_in_drain", "hang_in_stop", "hang_in_health"}) {
    SCOPED_TRACE(fixture);
    Yard yard{0ms};
    yard.config.limits.control_timeout = 4s;
    RunningSet running{yard, {fixture, "one", "clock", "alarm"}};
    if (fixture == std::string_view{"hang_in_health"}) {
      const auto health = running[fixture].health();
      ASSERT_EQ(health.error().code, RefusalCode::CallHung);
      running[fixture].give_up(health.error().text);
      EXPECT_EQ(running[fixture].state(), PluginState::Retained);
      EXPECT_FALSE(running[fixture].services().connection_opened());
    }
    EXPECT_TRUE(running["one"].health());
    EXPECT_THAT(running["alarm"].health().error().text, HasSubstr("clock=42"));

    int done = 0;
    running.set->drain(0, [&] { ++done; });
    EXPECT_EQ(done, 1);
    running.set->stop();
    EXPECT_EQ(running[fixture].state(), PluginState::Retained);
    EXPECT_THAT(running[fixture].why(), HasSubstr("did not return within 4 s"));
    for (const auto* other : {"one", "clock", "alarm"}) {
      EXPECT_EQ(running[other].state(), PluginState::Unloaded);
    }
  }
}

// "one" leaves first, by way of the thread on which the other hangs.
TEST(PluginSet, RetainsOnlyWhoseThreadLocalObjectsDoNotEnd) {
  Yard yard;
  RunningSet running{yard, {"hang_in_thread_local", "one"}};
  yard.config.limits.control_timeout = 4s;
  running.set->stop();
  auto& hanging = running["hang_in_thread_local"];
  EXPECT_EQ(hanging.state(), PluginState::Retained);
  EXPECT_THAT(hanging.why(), HasSubstr("the loader keeps it mapped"));
  EXPECT_EQ(running["one"].state(), PluginState::Unloaded) << running["one"].why();
  EXPECT_THAT(
      yard.log(),
      Contains("one control thread left behind: what a plugin has made thread_local on it does not "
               "end limit=\"4 s\" threads=1"));
}

// By way of the trial process, which is asked to load what the host will.
TEST(PluginSet, KeepsPlatformLibrariesOnly) {
  Yard yard;
  RunningSet running{yard, {"needs_platform"}};
  auto& plugin = running["needs_platform"];
  const auto staged = plugin.staged();
  EXPECT_TRUE(is_mapped(staged));
  running.set->stop();
  EXPECT_EQ(plugin.state(), PluginState::Unloaded) << plugin.why();
  EXPECT_FALSE(is_mapped(staged));
  EXPECT_TRUE(is_mapped("/libresolv.so.2"));
}

TEST(PluginSet, LoadsTheSamePluginAgainAndAgain) {
  Yard yard;
  yard.put_and_enable("clock");
  for (int round = 0; round < 20; ++round) {
    PluginSet set{yard.config, yard.services, {}};
    ASSERT_THAT(texts(set.start()), IsEmpty());
    set.stop();
    const auto& clock = set.find("clock")->serving();
    ASSERT_EQ(clock.state(), PluginState::Unloaded) << clock.why();
  }
}

} // namespace
} // namespace switchyard::host

// Real plugins, swapped; what a loop would do is left out.
#include <host/plugin/plugin_set.hpp>
#include <host/swap/swap_records.hpp>
#include <host/swap/swaps.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tests/host/broken_plugins/yard.hpp>
#include <tests/host/swap/run_until.hpp>

namespace switchyard::host {
namespace {

namespace json = boost::json;
namespace net = boost::asio;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Swapping : public testing::Test {
protected:
  void start(std::initializer_list<const char*> fixtures) {
    for (const auto* fixture : fixtures)
      yard.put_and_enable(fixture);
    set.emplace(yard.config, yard.services, LoopServices{});
    ASSERT_THAT(texts(set->start()), IsEmpty());
    swaps.emplace(SwapSurroundings{context, yard.config, *set, yard.services, records, [this] {
                                     ++follows;
                                     return stuck;
                                   }});
  }

  /// The answer to a reply: the sentence of a refusal, or "" and the lines in `phases`.
  std::string answer(const ControlReply& reply) {
    run_until(*context, [&] { return reply.ended(); });
    phases.clear();
    for (const auto& line : reply.fetch()) {
      if (line.contains("phase")) {
        phases.emplace_back(line.at("phase").as_string());
      } else {
        last = line;
      }
    }
    return last.contains("error") ? std::string{last.at("error").as_string()} : std::string{};
  }

  [[nodiscard]] Generations& plugin(std::string_view name) const { return *set->find(name); }

  [[nodiscard]] std::string outcome(std::string_view name) const {
    return json::serialize(swaps->last(name));
  }

  Yard yard{0ms};
  const std::shared_ptr<net::io_context> context = std::make_shared<net::io_context>(1);
  SwapRecords records = *SwapRecords::open(yard.data_dir());
  std::optional<PluginSet> set;
  std::optional<Swaps> swaps;
  std::vector<std::string> phases;
  json::object last;
  int follows = 0;
  std::optional<std::string> stuck;
};

TEST_F(Swapping, PutsOneGenerationInThePlaceOfAnotherAndUnloadsIt) {
  yard.config.swap.window = 0ms;
  start({"one", "tag_64"});
  const auto old = plugin("tag_64").serving().staged();
  EXPECT_EQ(answer(swaps->swap("tag_64", "")), "");
  EXPECT_THAT(
      phases,
      ElementsAre("verified", "planned", "probed", "started", "activated", "healthy", "flipped"));
  EXPECT_EQ(follows, 1);
  auto& serving = plugin("tag_64").serving();
  EXPECT_EQ(serving.generation(), 2U);
  EXPECT_EQ(set->dispatch()->plugins[1], &serving);
  run_until(*context, [&] { return plugin("tag_64").leaving().empty(); });
  EXPECT_FALSE(std::filesystem::exists(old)) << "it is unmapped";
  EXPECT_THAT(outcome("tag_64"), HasSubstr("\"result\":\"committed\""));
  EXPECT_EQ(plugin("one").serving().generation(), 1U);
}

TEST_F(Swapping, NeverGivesANumberTwice) {
  yard.config.swap.window = 0ms;
  start({"one"});
  for (std::uint32_t generation = 2; generation < 6; ++generation) {
    ASSERT_EQ(answer(swaps->swap("one", "")), "");
    EXPECT_EQ(plugin("one").serving().generation(), generation);
    run_until(*context, [&] { return plugin("one").leaving().empty(); });
  }
}

// The consumer has registered with the provider and holds a handle on it.
TEST_F(Swapping, LeadsConsumersToTheNewProvider) {
  yard.config.swap.window = 1h;
  start({"clock", "alarm"});
  EXPECT_EQ(answer(swaps->swap("clock", "")), "");
  EXPECT_THAT(yard.services.metrics.text(), HasSubstr("\nswitchyard_clock_bindings 2"))
      << "both generations have what is registered";
  EXPECT_THAT(plugin("alarm").serving().health().error().text, HasSubstr("clock=42"));
  ASSERT_NE(plugin("clock").warm(), nullptr);
  EXPECT_EQ(plugin("clock").warm()->state(), PluginState::Warm);

  EXPECT_THAT(answer(swaps->swap("alarm", "")), HasSubstr("shares interfaces with plugin clock"));
  EXPECT_EQ(answer(swaps->take_back("clock")), "");
  EXPECT_EQ(plugin("clock").serving().generation(), 1U);
  EXPECT_THAT(plugin("alarm").serving().health().error().text, HasSubstr("clock=42"));
  run_until(*context, [&] { return plugin("clock").leaving().empty(); });
  EXPECT_THAT(yard.services.metrics.text(), HasSubstr("\nswitchyard_clock_bindings 1"));
  EXPECT_THAT(outcome("clock"), HasSubstr("generation 2 was taken back"));
  EXPECT_THAT(answer(swaps->take_back("clock")), HasSubstr("has no version to go back to"));
}

TEST_F(Swapping, ExchangesWhatARegistrantHasRegistered) {
  yard.config.swap.window = 1h;
  start({"clock", "alarm_well"});
  const auto bindings = [&](int count) {
    return HasSubstr("\nswitchyard_clock_bindings " + std::to_string(count) + "\n");
  };
  EXPECT_EQ(answer(swaps->swap("alarm_well", "")), "");
  EXPECT_THAT(yard.services.metrics.text(), bindings(1)) << "one set, not both";
  EXPECT_EQ(answer(swaps->take_back("alarm_well")), "");
  run_until(*context, [&] { return plugin("alarm_well").leaving().empty(); });
  EXPECT_THAT(yard.services.metrics.text(), bindings(1));
  EXPECT_EQ(plugin("alarm_well").serving().generation(), 1U);

  EXPECT_THAT(
      answer(swaps->swap("alarm_well", yard.put("fail_in_activate"))), HasSubstr("no peer"));
  EXPECT_THAT(yard.services.metrics.text(), bindings(1));
}

TEST_F(Swapping, DoesWithUsersWhatTheirManifestsSay) {
  yard.config.swap.window = 1h;
  start({"clock", "alarm_restart", "alarm_drain_first"});
  EXPECT_EQ(answer(swaps->swap("clock", "")), "");
  run_until(*context, [&] { return plugin("alarm_restart").serving().generation() == 2; });
  EXPECT_EQ(plugin("alarm_drain_first").serving().generation(), 1U);
  EXPECT_TRUE(plugin("alarm_drain_first").serving().health()) << "it reaches its clock again";
}

TEST_F(Swapping, TakesAProviderBackWhenItsUserCannotBeRestarted) {
  yard.config.swap.window = 1h;
  start({"clock", "alarm_restart"});
  std::filesystem::remove(plugin("alarm_restart").serving().staged());
  EXPECT_EQ(answer(swaps->swap("clock", "")), "");
  run_until(*context, [&] { return plugin("clock").serving().generation() == 1; });
  EXPECT_THAT(
      outcome("clock"), HasSubstr("plugin alarm_restart, which is restarted with it, was not"));
}

TEST_F(Swapping, LeavesAProviderThatAUserWantsPinned) {
  start({"clock", "alarm_pin"});
  EXPECT_THAT(
      answer(swaps->swap("clock", "")), HasSubstr("to plugin alarm_pin, which wants it pinned"));
  EXPECT_EQ(answer(swaps->plan("clock", "")), "");
  EXPECT_THAT(json::serialize(last.at("dependents")), HasSubstr("\"on_swap\":\"pin\""));
  EXPECT_THAT(json::serialize(last.at("not_now")), HasSubstr("wants it pinned"));
}

TEST_F(Swapping, GoesBackToTheVersionBeforeWhenTheWindowIsOver) {
  yard.config.swap.window = 0ms;
  start({"one", "two"});
  EXPECT_THAT(answer(swaps->take_back("one")), HasSubstr("has no version to go back to"));
  const auto before = plugin("one").serving().sha256();
  EXPECT_EQ(answer(swaps->swap("one", yard.put("tag_64"))), "");
  run_until(*context, [&] { return plugin("one").leaving().empty(); });
  EXPECT_NE(plugin("one").serving().sha256(), before);
  EXPECT_EQ(answer(swaps->take_back("one")), "");
  EXPECT_EQ(plugin("one").serving().generation(), 3U);
  EXPECT_EQ(plugin("one").serving().sha256(), before);
}

TEST_F(Swapping, LeavesTheOldOneServingWhateverTheNewOneDoes) {
  const struct {
    const char* fixture;
    std::string says;
  } cases[] = {
      {"crash_in_constructor", "crashed its trial process"},
      {"hang_in_check", "hung its trial process"},
      {"fail_in_init", "plugin one: init() failed: the database is locked"},
      {"hang_in_init", "plugin one: init() did not return within 4 s"},
      {"fail_in_start", "plugin one: start() failed: port 53 is taken"},
      {"fail_in_activate", "plugin one: activate() failed: no peer answers"},
      {"hang_in_health", "plugin one: health() did not return within 4 s"},
      {"tag_64_too", "is taken by protocol test.tag_64_too of plugin one"},
      {"old_abi", "was built for switchyard ABI 0.0"},
  };

  yard.config.limits.control_timeout = 4s;
  yard.config.limits.probe_timeout = 4s;
  start({"one", "tag_64"});
  auto* const old = &plugin("one").serving();
  for (const auto& c : cases) {
    SCOPED_TRACE(c.fixture);
    EXPECT_THAT(answer(swaps->swap("one", yard.put(c.fixture))), HasSubstr(c.says));
    EXPECT_THAT(outcome("one"), HasSubstr("\"result\":\"failed\""));
    EXPECT_EQ(&plugin("one").serving(), old);
    EXPECT_EQ(old->state(), PluginState::Serving);
    EXPECT_TRUE(old->health());
    EXPECT_EQ(plugin("one").live(), 1U);
  }
  EXPECT_EQ(plugin("one").retained(), 2U) << "of those that hang";
  EXPECT_EQ(follows, 0);
}

TEST_F(Swapping, GoesBackWhenALoopDoesNotFollow) {
  start({"one"});
  stuck = "loop 1 is stuck";
  EXPECT_EQ(answer(swaps->swap("one", "")), "plugin one: cannot begin to serve: loop 1 is stuck");
  EXPECT_EQ(plugin("one").serving().generation(), 1U);
  EXPECT_EQ(plugin("one").serving().state(), PluginState::Serving);
  EXPECT_EQ(plugin("one").retained(), 1U) << "the loop may still lead to it";
}

TEST_F(Swapping, EndsTheWindowWithTheNextSwapAndBoundsTheGenerations) {
  yard.config.swap.window = 1h;
  start({"drain_in_abort"});
  EXPECT_EQ(answer(swaps->swap("drain_in_abort", "")), "");
  EXPECT_EQ(answer(swaps->swap("drain_in_abort", "")), "");
  EXPECT_THAT(plugin("drain_in_abort").leaving(), SizeIs(1)) << "it drains until it is aborted";
  EXPECT_THAT(
      answer(swaps->swap("drain_in_abort", "")),
      AllOf(HasSubstr("has 3 generations"), HasSubstr("generation 1: 0 connections")));
}

TEST_F(Swapping, CutsWhatDoesNotDrain) {
  yard.config.swap.window = 0ms;
  yard.config.limits.drain_timeout = 10ms;
  start({"drain_in_abort"});
  EXPECT_EQ(answer(swaps->swap("drain_in_abort", "")), "");
  run_until(*context, [&] { return plugin("drain_in_abort").leaving().empty(); });
}

TEST_F(Swapping, ShowsItsPlanAndChangesNothing) {
  start({"clock", "alarm"});
  EXPECT_EQ(answer(swaps->plan("clock", "")), "");
  EXPECT_EQ(last.at("dependents").as_array().size(), 1U);
  EXPECT_THAT(json::serialize(last.at("registrations")), HasSubstr("of plugin alarm"));
  EXPECT_EQ(last.at("not_now").as_string(), "");
  EXPECT_EQ(last.at("connections").to_number<int>(), 0);
  EXPECT_THAT(answer(swaps->plan("clock", yard.put("one"))), HasSubstr("requires test.clock/1"))
      << "the alarm would lose its clock";
  EXPECT_EQ(plugin("clock").live(), 1U);
  EXPECT_EQ(plugin("clock").serving().generation(), 1U);
}

TEST_F(Swapping, GivesUpWhatIsNotFlippedWhenTheServerStops) {
  start({"one"});
  const auto reply = swaps->swap("one", "");
  swaps->end();
  EXPECT_EQ(answer(reply), "plugin one: is not swapped: the server stops");
  EXPECT_EQ(answer(swaps->swap("one", "")), "plugin one: is not swapped: the server stops");
  EXPECT_EQ(answer(swaps->swap("two", "")), "no plugin is named 'two' in the configuration");
}

} // namespace
} // namespace switchyard::host

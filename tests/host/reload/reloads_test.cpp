// Real plugins of a file that changes; what loops and listeners would do is left out.
#include <host/config/parse.hpp>
#include <host/plugin/plugin_set.hpp>
#include <host/plugin/staging.hpp>
#include <host/reload/reloads.hpp>
#include <host/swap/swap_records.hpp>
#include <host/swap/swaps.hpp>

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tests/host/broken_plugins/yard.hpp>
#include <tests/host/swap/run_until.hpp>

namespace switchyard::host {
namespace {

namespace net = boost::asio;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Whether a plugin's table pins its bytes, which is another table of the same plugin.
enum class Pin : bool { No, Yes };

/// A plugin of the file.
struct Said {
  const char* name;
  const char* fixture;
  Pin pin = Pin::No;
};

class Reloading : public testing::Test {
protected:
  void write(const std::vector<Said>& plugins) const {
    auto text = "[host]\ndata_dir = \"" + yard.data_dir().string() + "\"\nplugin_dir = \"" +
                yard.plugin_dir().string() +
                "\"\non_plugin_failure = \"continue\"\n"
                "[[listener]]\nname = \"server\"\naddress = \"127.0.0.1:0\"\n";
    for (const auto& [name, fixture, pin] : plugins) {
      const auto library = yard.plugin_dir() / (std::string{fixture} + ".so");
      if (!std::filesystem::exists(library)) yard.put(fixture);
      text += std::string{"[plugin."} + name + "]\nlibrary = \"" + fixture + ".so\"\n";
      if (pin == Pin::Yes) text += "sha256 = \"" + *sha256_of(library) + "\"\n";
    }
    write_file(file, text);
  }

  void start(const std::vector<Said>& plugins) {
    write(plugins);
    yard.config = *load(file);
    set.emplace(yard.config, yard.services, LoopServices{});
    static_cast<void>(set->start());
    const SwapSurroundings around{
        context, yard.config, *set, yard.services, records, [] { return std::nullopt; }};
    swaps.emplace(around);
    reloads.emplace(ReloadSurroundings{
        around,
        *swaps,
        [](const Config&, const RouteTable&) { return std::vector<std::string>{}; },
        [this](const Config&, const RouteTable&)
            -> boost::system::result<ReloadSurroundings::Follow, std::vector<std::string>> {
          if (!cannot_bind.empty()) return std::vector{cannot_bind};
          return ReloadSurroundings::Follow{[this] { return stuck; }};
        },
        [this](bool, const std::string& line) { said.push_back(line); }});
  }

  /// The sentence of a refusal, or "".
  std::string reload(Swapped swapped = Swapped::Ask) {
    const auto reply = reloads->reload(swapped, false);
    run_until(*context, [&] { return reply.ended(); });
    const auto answer = reply.fetch().back();
    return answer.contains("error") ? std::string{answer.at("error").as_string()} : std::string{};
  }

  [[nodiscard]] Generations& plugin(std::string_view name) const { return *set->find(name); }

  [[nodiscard]] std::uint32_t generation(std::string_view name) const {
    return plugin(name).serving().generation();
  }

  Yard yard{0ms};
  const std::string file = yard.plugin_dir() / "plugins.toml";
  const std::shared_ptr<net::io_context> context = std::make_shared<net::io_context>(1);
  SwapRecords records = *SwapRecords::open(yard.data_dir());
  std::optional<PluginSet> set;
  std::optional<Swaps> swaps;
  std::optional<Reloads> reloads;
  std::vector<std::string> said;
  std::string cannot_bind;
  std::optional<std::string> stuck;
};

TEST_F(Reloading, DoesWithUsersOfAProviderWhatTheirManifestsSay) {
  start({{"clock", "clock"}, {"again", "alarm_restart"}, {"first", "alarm_drain_first"}});
  write({{"clock", "clock", Pin::Yes}, {"again", "alarm_restart"}, {"first", "alarm_drain_first"}});
  EXPECT_EQ(reload(), "");
  EXPECT_EQ(generation("clock"), 2U);
  run_until(*context, [&] { return generation("again") == 2; });
  EXPECT_EQ(generation("first"), 1U);
  EXPECT_TRUE(plugin("first").serving().health()) << "it reaches its clock again";
}

TEST_F(Reloading, RefusesByNameWhatASwapWould) {
  start({{"clock", "clock"}, {"user", "alarm_pin"}});
  write({{"clock", "clock", Pin::Yes}, {"user", "alarm_pin"}});
  EXPECT_THAT(
      reload(), AllOf(HasSubstr(file + ":8: plugin clock: "), HasSubstr("to plugin user, which")));
  EXPECT_EQ(generation("clock"), 1U);
}

TEST_F(Reloading, LeavesEverythingWhenAnAddressIsTaken) {
  start({{"clock", "clock"}, {"user", "alarm_well"}, {"broken", "fail_in_init"}});
  EXPECT_EQ(plugin("broken").serving().state(), PluginState::Failed);
  write({{"clock", "clock", Pin::Yes}, {"user", "alarm_well", Pin::Yes}, {"broken", "one"}});
  cannot_bind = "the address is taken";
  EXPECT_EQ(reload(), cannot_bind);
  EXPECT_EQ(generation("clock"), 1U);
  EXPECT_EQ(generation("user"), 1U);
  EXPECT_TRUE(plugin("user").serving().health()) << "its clock is there";
  EXPECT_EQ(plugin("broken").serving().state(), PluginState::Failed);
  EXPECT_THAT(said, ElementsAre("not reloaded, everything stays as it was: " + cannot_bind));

  cannot_bind.clear();
  EXPECT_EQ(reload(), "");
  EXPECT_GT(generation("clock"), 1U);
  EXPECT_TRUE(plugin("user").serving().health());
  EXPECT_EQ(plugin("broken").serving().state(), PluginState::Serving);
  run_until(*context, [&] {
    return plugin("clock").leaving().empty() && plugin("user").leaving().empty();
  });
}

TEST_F(Reloading, LeavesInMemoryWhatAStuckLoopMayLeadTo) {
  start({{"one", "one"}});
  write({{"one", "one", Pin::Yes}});
  stuck = "loop 0 is stuck";
  EXPECT_EQ(reload(), "");
  EXPECT_EQ(generation("one"), 2U);
  EXPECT_EQ(plugin("one").retained(), 1U);
  EXPECT_THAT(said, Contains("reloaded, but loop 0 is stuck"));
}

TEST_F(Reloading, AndSwapsWaitForEachOther) {
  start({{"one", "one"}});
  write({{"one", "one", Pin::Yes}});
  const auto first = reloads->reload(Swapped::Ask, false);
  EXPECT_TRUE(reloads->under_way());
  EXPECT_THAT(reload(), HasSubstr("another reload is under way"));
  EXPECT_THAT(
      std::string{swaps->swap("one", "").fetch().back().at("error").as_string()},
      HasSubstr("a reload of the configuration is under way"));
  run_until(*context, [&] { return first.ended(); });
  EXPECT_FALSE(reloads->under_way());

  const auto swap = swaps->swap("one", "");
  EXPECT_THAT(reload(), HasSubstr("plugin one is being swapped: reload once that has ended"));
  run_until(*context, [&] { return swap.ended(); });
}

TEST_F(Reloading, IsGivenUpWhenTheServerStops) {
  start({{"one", "one"}});
  write({{"one", "one", Pin::Yes}, {"two", "two"}});
  const auto reply = reloads->reload(Swapped::Ask, false);
  run_until(*context, [&] { return plugin("one").candidate() != nullptr; });
  reloads->end();
  EXPECT_EQ(reply.fetch().back().at("error"), "the server stops");
  EXPECT_EQ(plugin("one").candidate(), nullptr);
  EXPECT_EQ(reload(), "the server stops");
}

TEST_F(Reloading, ForgetsPluginsThatAreNoMore) {
  start({{"one", "one"}, {"two", "two"}});
  write({{"two", "two"}});
  EXPECT_EQ(reload(), "");
  EXPECT_EQ(set->find("one"), nullptr);
  run_until(*context, [&] { return set->parting().empty(); });
  EXPECT_THAT(set->dispatch()->plugins, ElementsAre(&plugin("two").serving()));

  write({{"two", "two"}, {"one", "one"}});
  EXPECT_EQ(reload(), "");
  EXPECT_EQ(plugin("one").serving().state(), PluginState::Serving);
}

} // namespace
} // namespace switchyard::host

// What a reload has to do, told from two texts of plugins.toml.
#include <host/config/parse.hpp>
#include <host/reload/difference.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <ostream>

namespace switchyard::host {

void PrintTo(const Change& change, std::ostream* out) {
  *out << change.what << ' ' << change.name << ' ' << change.change << ' ' << change.from << " -> "
       << change.to;
}

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kBefore = R"(
[host]
data_dir = "data"
plugin_dir = "lib"
[limits]
spin = "50us"
[[listener]]
name = "server"
address = "127.0.0.1:8300"
[[listener]]
name = "free"
address = "127.0.0.1:0"
[plugin.netrpc]
library = "netrpc.so"
config = { a = 1, b = 2 }
[plugin.echo]
library = "echo.so"
)";

Config parsed(const std::string& text) {
  auto config = parse(text, "plugins.toml");
  EXPECT_TRUE(config) << describe(config.error());
  return *config;
}

/// kBefore with the first `from` replaced by `to`.
std::string with(std::string_view from, std::string_view to) {
  std::string text{kBefore};
  const auto at = text.find(from);
  EXPECT_NE(at, text.npos) << from;
  return text.replace(at, from.size(), to);
}

Difference from_before(const std::string& after) {
  return difference(parsed(std::string{kBefore}), parsed(after));
}

struct Row {
  const char* name;
  std::string after;
  std::vector<Change> changes;
};

class OneChange : public testing::TestWithParam<Row> {};

TEST_P(OneChange, IsNamed) {
  const auto found = from_before(GetParam().after);
  EXPECT_EQ(found.changes, GetParam().changes);
  EXPECT_THAT(found.fixed, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Of,
    OneChange,
    testing::Values(
        Row{"nothing", std::string{kBefore}, {}},
        Row{"lines_only", "# moved down\n\n" + std::string{kBefore}, {}},
        Row{"order_of_keys", with("{ a = 1, b = 2 }", "{ b = 2, a = 1 }"), {}},
        Row{"a_default_that_is_said",
            with("[limits]\n", "[limits]\ndrain_timeout = \"30s\"\n"),
            {}},
        Row{"a_limit",
            with("50us", "30us"),
            {{"setting", "limits.spin", "changed", "50us", "30us"}}},
        Row{"tls",
            with("[limits]", "[tls]\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n[limits]"),
            {{"setting", "tls", "changed", "none", "there"},
             {"setting", "tls.certificate", "changed", "", "c.pem"},
             {"setting", "tls.key", "changed", "", "k.pem"}}},
        Row{"a_listener_more",
            with(
                "[plugin.netrpc]",
                "[[listener]]\nname = \"a\"\naddress = \"127.0.0.1:1\"\n[plugin.netrpc]"),
            {{"listener", "a", "added", "", "127.0.0.1:1"}}},
        Row{"another_address",
            with("127.0.0.1:8300", "127.0.0.1:8301"),
            {{"listener", "server", "changed", "127.0.0.1:8300", "127.0.0.1:8301"}}},
        Row{"another_name",
            with("\"server\"", "\"other\""),
            {{"listener", "other", "added", "", "127.0.0.1:8300"},
             {"listener", "server", "removed", "127.0.0.1:8300", ""}}},
        Row{"a_protocol",
            with("127.0.0.1:0\"", "127.0.0.1:0\"\nprotocol = \"netrpc.single\""),
            {{"listener", "free", "changed", "127.0.0.1:0", "127.0.0.1:0"}}},
        Row{"a_plugin_more",
            with("[plugin.echo]", "[plugin.grpc]\nlibrary = \"grpc.so\"\n[plugin.echo]"),
            {{"plugin", "grpc", "added"}}},
        Row{"a_plugin_less",
            with("[plugin.echo]\nlibrary = \"echo.so\"\n", ""),
            {{"plugin", "echo", "removed"}}},
        Row{"another_library", with("echo.so", "echo2.so"), {{"plugin", "echo", "changed"}}},
        Row{"another_config", with("b = 2", "b = 3"), {{"plugin", "netrpc", "changed"}}},
        Row{"a_pin",
            with("\"echo.so\"", "\"echo.so\"\nsha256 = \"" + std::string(64, 'a') + "\""),
            {{"plugin", "echo", "changed"}}},
        Row{"an_isolation",
            with("\"echo.so\"", "\"echo.so\"\nisolation = \"process\""),
            {{"plugin", "echo", "changed"}}},
        Row{"a_route",
            with(
                "[plugin.echo]",
                "[[plugin.netrpc.route]]\nprotocol = \"netrpc.single\"\ntag = 9\n[plugin.echo]"),
            {{"plugin", "netrpc", "rerouted"}}}),
    [](const auto& of) { return of.param.name; });

TEST(Difference, SaysWhatCannotChangeByFileLineAndKey) {
  const auto found =
      from_before(with("data_dir = \"data\"", "data_dir = \"elsewhere\"\nloops = 3"));
  ASSERT_EQ(found.fixed.size(), 3U);
  EXPECT_EQ(
      describe("plugins.toml", found.fixed[0]),
      "plugins.toml:3: host.data_dir: cannot change from \"data\" to \"elsewhere\" while the "
      "server "
      "runs: restart it, or undo this");
  EXPECT_EQ(found.fixed[1].key, "host.control_socket") << "it is in data_dir";
  EXPECT_EQ(found.fixed[1].line, 2U) << "the table: the key is not said";
  EXPECT_EQ(found.fixed[2].key, "host.loops");
  EXPECT_EQ(found.fixed[2].line, 4U);
}

TEST(Difference, SortsPluginsByWhatIsToBeDone) {
  const auto found = from_before(
      with("[plugin.netrpc]\nlibrary = \"netrpc.so\"", "[plugin.new]\nlibrary = \"n.so\""));
  EXPECT_THAT(found.plugins.added, ElementsAre(0U));
  EXPECT_THAT(found.plugins.unchanged, ElementsAre(1U));
  EXPECT_THAT(found.plugins.changed, IsEmpty());
  EXPECT_THAT(found.plugins.removed, ElementsAre("netrpc"));
}

TEST(Difference, KnowsThatPluginSwapHasPutAnotherVersionInPlace) {
  auto before = parsed(std::string{kBefore});
  const auto after = before;
  before.plugins[1].swapped = "/data/kept/echo.so";
  EXPECT_THAT(difference(before, after).plugins.changed, ElementsAre(1U)) << "it is discarded";
  EXPECT_THAT(difference(before, before).plugins.changed, IsEmpty()) << "it is kept";
}

} // namespace
} // namespace switchyard::host

#include <host/route/routes.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace switchyard::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// netrpc at line 10, grpc at line 20.
struct Two {
  Config config;
  Manifest netrpc;
  Manifest grpc;

  Two() {
    config.file = "plugins.toml";
    config.plugins = {{"netrpc", "", "", {}, {10}}, {"grpc", "", "", {}, {20}}};
    netrpc.protocols = {
        {"netrpc.single", std::uint8_t{0}, "consul/rpc-single", ServeMode::Stream},
        {"netrpc.multi", std::uint8_t{4}, "consul/rpc-multi", ServeMode::Stream}};
    grpc.protocols = {
        {"grpc.internal", std::uint8_t{8}, "consul/rpc-grpc", ServeMode::Descriptor},
        {"grpc.external", {}, {}, ServeMode::Stream, "h2"}};
  }

  [[nodiscard]] Routing routing() const {
    const Manifest* manifests[] = {&netrpc, &grpc};
    return make_routes(config, manifests);
  }

  [[nodiscard]] std::vector<std::string> problems() const {
    std::vector<std::string> texts;
    for (const auto& problem : routing().problems)
      texts.push_back(problem.refusal.text);
    return texts;
  }
};

TEST(Routes, LeadEveryTagNameAndProtocolToItsPlugin) {
  const Two two;
  const auto routing = two.routing();
  EXPECT_THAT(two.problems(), IsEmpty());
  ASSERT_EQ(routing.table.all().size(), 4U);

  const auto* multi = routing.table.by_tag(4);
  ASSERT_NE(multi, nullptr);
  EXPECT_EQ(*multi, (Route{"netrpc.multi", 0, 1, std::uint8_t{4}, "consul/rpc-multi", {}, {}}));
  EXPECT_EQ(routing.table.by_alpn("consul/rpc-multi"), multi);
  EXPECT_EQ(routing.table.by_protocol("netrpc.multi"), multi);
  EXPECT_EQ(routing.table.by_tag(8)->mode, ServeMode::Descriptor);
  EXPECT_EQ(routing.table.by_protocol("grpc.external")->index, 1U);
  EXPECT_EQ(routing.table.by_protocol("grpc.external")->plugin, 1U);

  int routed = 0;
  for (unsigned tag = 0; tag < 256; ++tag) {
    routed += routing.table.by_tag(static_cast<std::uint8_t>(tag)) != nullptr ? 1 : 0;
  }
  EXPECT_EQ(routed, 3);
  EXPECT_EQ(routing.table.by_protocol("grpc.external")->listener_alpn, "h2");
  EXPECT_EQ(routing.table.by_alpn("h2"), nullptr) << "a listener's name is no way in elsewhere";
  EXPECT_EQ(routing.table.by_alpn("consul/rpc"), nullptr);
  EXPECT_EQ(routing.table.by_alpn(""), nullptr);
  EXPECT_EQ(routing.table.by_protocol("netrpc"), nullptr);
  EXPECT_EQ(RouteTable{}.by_tag(0), nullptr);
}

TEST(Routes, AreOverriddenByPluginsToml) {
  Two two;
  two.config.plugins[0].routes = {{"netrpc.single", std::uint8_t{9}, {}, {12}}};
  two.config.plugins[1].routes = {{"grpc.external", std::uint8_t{0}, "h2", {22}}};
  const auto routing = two.routing();
  EXPECT_THAT(two.problems(), IsEmpty());
  EXPECT_EQ(routing.table.by_tag(9)->protocol, "netrpc.single");
  EXPECT_EQ(routing.table.by_alpn("consul/rpc-single")->protocol, "netrpc.single");
  EXPECT_EQ(routing.table.by_tag(0)->protocol, "grpc.external");
  EXPECT_EQ(routing.table.by_alpn("h2")->protocol, "grpc.external");
}

TEST(Routes, AreNotMadeForAPluginThatIsRefused) {
  Two two;
  two.config.plugins[1].routes = {{"grpc.external", std::uint8_t{4}, {}, {22}}};
  const auto routing = two.routing();
  ASSERT_EQ(routing.problems.size(), 1U);
  EXPECT_EQ(routing.problems[0].plugin, 1U);
  EXPECT_EQ(routing.problems[0].refusal.code, RefusalCode::RouteTaken);
  EXPECT_EQ(routing.table.by_tag(4)->protocol, "netrpc.multi");
  EXPECT_EQ(routing.table.by_tag(8), nullptr) << "none of its other protocols either";
}

TEST(Routes, OfOnePluginAreDistinctToo) {
  Two two;
  two.netrpc.protocols[1].tag = 0;
  EXPECT_THAT(
      two.problems(),
      ElementsAre("plugin netrpc: tag 0 of protocol netrpc.single at plugins.toml:10 is taken by "
                  "protocol netrpc.multi of plugin netrpc at plugins.toml:10: give one of them "
                  "another with [[plugin.NAME.route]]"));
}

TEST(Routes, KeepTlsForTheHost) {
  for (unsigned tag = 0; tag < 256; ++tag) {
    SCOPED_TRACE(tag);
    Two two;
    two.netrpc.protocols = {{"p", static_cast<std::uint8_t>(tag), {}, ServeMode::Stream}};
    two.grpc.protocols.clear();
    const auto routing = two.routing();
    const auto reserved = tag == 3 || (tag >= 20 && tag <= 23);
    EXPECT_EQ(routing.problems.size(), reserved ? 1U : 0U);
    EXPECT_EQ(routing.table.by_tag(static_cast<std::uint8_t>(tag)) == nullptr, reserved);
  }
}

TEST(Routes, AreWhatListenersCanName) {
  Two two;
  two.config.listeners = {
      {"server", "127.0.0.1:1", "", false, false, false, {1}},
      {"grpc", "127.0.0.1:2", "grpc.external", false, false, false, {2}},
      {"typo", "127.0.0.1:3", "grpc.externl", false, false, false, {3}}};
  const auto problems = two.routing().problems;
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_FALSE(problems[0].plugin.has_value());
  EXPECT_EQ(
      problems[0].refusal.text,
      "plugins.toml:3: listener typo speaks protocol \"grpc.externl\", which no plugin has: there "
      "is "
      "netrpc.single, netrpc.multi, grpc.internal, grpc.external");
}

TEST(Routes, LeaveOutAPluginWithoutAManifest) {
  const Two two;
  const Manifest* manifests[] = {nullptr, &two.grpc};
  const auto routing = make_routes(two.config, manifests);
  EXPECT_THAT(routing.problems, IsEmpty());
  EXPECT_EQ(routing.table.by_tag(4), nullptr);
  EXPECT_EQ(routing.table.by_tag(8)->plugin, 1U);
}

} // namespace
} // namespace switchyard::host

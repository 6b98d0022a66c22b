// The sockets of two configurations, one after the other.
#include <host/listen/endpoint.hpp>
#include <host/listen/listening.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <utility>

namespace switchyard::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ListenerConfig listener(const char* name, const std::string& address) {
  ListenerConfig config;
  config.name = name;
  config.address = address;
  config.place = {7};
  return config;
}

class Sockets : public testing::Test {
protected:
  Listening bind(std::vector<ListenerConfig> listeners, const Listening& before = {}) {
    Config config;
    config.file = "plugins.toml";
    config.listeners = std::move(listeners);
    const std::array<Loop*, 2> loops{&first, &second};
    auto bound = Listening::bind(config, loops, before);
    problems = bound ? std::vector<std::string>{} : bound.error();
    return bound ? *bound : Listening{};
  }

  Loop first{0, std::chrono::microseconds{0}};
  Loop second{1, std::chrono::microseconds{0}};
  std::vector<std::string> problems;
};

TEST_F(Sockets, OfOneListenerShareThePortThatZeroBecomes) {
  const auto bound = bind({listener("a", "127.0.0.1:0")});
  EXPECT_TRUE(bound.fresh(0));
  EXPECT_EQ(bound.at(0, 0)->local_endpoint(), bound.at(0, 1)->local_endpoint());
  EXPECT_EQ(bound.address(0), to_string(bound.at(0, 0)->local_endpoint()));
}

TEST_F(Sockets, OfAnUnchangedAddressStay) {
  auto before = bind({listener("a", "127.0.0.1:0"), listener("b", "127.0.0.1:0")});
  before.settle();
  const auto after = bind({listener("new", "127.0.0.2:0"), listener("a", "127.0.0.1:0")}, before);
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_TRUE(after.fresh(0));
  EXPECT_FALSE(after.fresh(1)) << "in another place of the file";
  EXPECT_EQ(after.at(1, 0), before.at(0, 0));
  EXPECT_EQ(after.at(1, 1), before.at(0, 1));
}

TEST_F(Sockets, ThatSomebodyElseHasAreNamed) {
  const auto other = bind({listener("other", "127.0.0.1:0")});
  const auto address = other.address(0);
  bind({listener("free", "127.0.0.1:0"), listener("taken", address)});
  EXPECT_THAT(
      problems,
      ElementsAre(
          "plugins.toml:7: listener 'taken' cannot listen on " + address +
          ": Address already in use"));
}

TEST(SameSockets, Table) {
  const struct {
    ListenerConfig a, b;
    bool same;
  } rows[] = {
      {listener("a", "127.0.0.1:8300"), listener("a", "127.0.0.1:8300"), true},
      {listener("a", "127.0.0.1:8300"), listener("b", "127.0.0.1:8300"), true},
      {listener("a", "127.0.0.1:8300"), listener("a", "127.0.0.1:8301"), false},
      {listener("a", "127.0.0.1:8300"), listener("a", "127.0.0.2:8300"), false},
      {listener("a", "[::1]:8300"), listener("a", "[0:0:0:0:0:0:0:1]:8300"), true},
      {listener("a", "127.0.0.1:0"), listener("a", "127.0.0.1:0"), true},
      {listener("a", "127.0.0.1:0"), listener("b", "127.0.0.1:0"), false},
  };

  for (const auto& row : rows)
    EXPECT_EQ(same_sockets(row.a, row.b), row.same) << row.a.address << ' ' << row.b.address;
}

} // namespace
} // namespace switchyard::host

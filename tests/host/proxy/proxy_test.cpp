#include <host/proxy/proxy.hpp>

#include <gtest/gtest.h>

namespace switchyard::host {
namespace {

TEST(ProxyTarget, IsAnAddressOrANameWithAPort) {
  for (const auto* text :
       {"127.0.0.1:8300", "[::1]:8300", "localhost:1", "server-1.dc1.consul:65535"})
    EXPECT_TRUE(is_target(text)) << text;
  for (const auto* text :
       {"",
        ":",
        ":8300",
        "8300",
        "localhost",
        "localhost:",
        "localhost:0",
        "localhost:65536",
        "localhost:83oo",
        "localhost:-1",
        "::1:8300",
        "[::1:8300",
        "[::1]",
        "[localhost]:8300",
        "http://localhost:8300",
        "two words:8300"})
    EXPECT_FALSE(is_target(text)) << text;
}

TEST(Proxy, SaysWhyItCannotStart) {
  Log log{spdlog::level::off, LogFormat::Plain};
  ProxyConfig config;
  config.target = "127.0.0.1:1";
  Proxy proxy{config, log};
  EXPECT_EQ(proxy.start(), "cannot connect to 127.0.0.1:1: Connection refused");
}

} // namespace
} // namespace switchyard::host

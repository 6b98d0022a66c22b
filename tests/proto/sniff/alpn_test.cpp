#include <proto/sniff/alpn.hpp>
#include <proto/sniff/tag.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace switchyard::sniff {
namespace {

using namespace std::string_view_literals;

TEST(Alpn, NamesMeanTags) {
  const struct {
    std::string_view name;
    std::optional<std::uint8_t> tag;
  } cases[] = {
      {"consul/rpc-single", kRpcTag},
      {"consul/raft", kRaftTag},
      {"consul/rpc-multi", kMultiplexTag},
      {"consul/rpc-snapshot", kSnapshotTag},
      {"consul/rpc-gossip", kGossipTag},
      {"consul/rpc-grpc", kGrpcTag},
      {"consul/raft-forwarding", kRaftForwardingTag},
      {"consul/wan-gossip/packet", std::nullopt},
      {"h2", std::nullopt},
      {"Consul/raft", std::nullopt},
      {"", std::nullopt},
  };

  for (const auto& c : cases) {
    EXPECT_EQ(tag_of(c.name), c.tag) << c.name;
    if (!c.tag) continue;
    EXPECT_EQ(alpn_of(*c.tag), c.name);
  }
  for (const auto tag : {kMultiplexV1Tag, kTlsTag, kTlsInsecureTag, std::uint8_t{10}}) {
    EXPECT_EQ(alpn_of(tag), "") << int{tag};
  }
}

TEST(Alpn, SplitsAList) {
  EXPECT_THAT(*split_alpn("\x02h2\x08http/1.1"sv), testing::ElementsAre("h2", "http/1.1"));
  EXPECT_THAT(*split_alpn("\x01\x00"sv), testing::ElementsAre("\0"sv));
  const std::string longest = "\xff" + std::string(255, 'x');
  EXPECT_THAT(*split_alpn(longest), testing::ElementsAre(std::string(255, 'x')));

  for (const auto broken : {""sv, "\x00"sv, "\x02h"sv, "\x02"sv, "\x02h2\x00"sv, "\x02h2\x01"sv}) {
    EXPECT_EQ(split_alpn(broken), std::nullopt) << broken.size();
  }
}

TEST(Alpn, TheServersOrderDecides) {
  const std::vector<std::string> ours{"consul/rpc-single", "consul/raft", "h2"};

  const struct {
    std::string_view name;
    std::string_view offered;
    std::string_view chosen;
  } cases[] = {
      {"one of ours",
       "\x0b"
       "consul/raft",
       "consul/raft"},
      {"ours first",
       "\x02h2\x0b"
       "consul/raft",
       "consul/raft"},
      {"unknown ones beside it", "\x03xyz\x02h2\x01q", "h2"},
      {"none of ours", "\x08http/1.1", ""},
      {"a prefix of ours",
       "\x0a"
       "consul/raf",
       ""},
      {"nothing", "", ""},
      {"cut",
       "\x02h2\x0b"
       "consul/raf",
       ""},
      {"an empty name", "\x02h2\x00"sv, ""},
  };

  for (const auto& c : cases) {
    EXPECT_EQ(choose_alpn(c.offered, ours), c.chosen) << c.name;
    EXPECT_EQ(choose_alpn(c.offered, {}), "") << c.name;
  }
}

} // namespace
} // namespace switchyard::sniff

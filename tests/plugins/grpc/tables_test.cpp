// Where calls find methods and peers, and what metadata may be.
#include "grpc.hpp"

#include <plugins/grpc/descriptors.hpp>
#include <plugins/grpc/metadata.hpp>
#include <plugins/grpc/peers.hpp>

#include <cstring>

namespace switchyard::grpc::test {
namespace {

TEST(GrpcPeers, AreFoundByTheirDescriptor) {
  Peers peers;
  sy_connection_info info{};
  std::strcpy(info.remote, "[2001:db8::1]:443");
  info.tls = 1;
  info.server_name = text("server.example");
  info.peer_names = text("one\ntwo");
  const auto first = peers.add(7, info);
  const auto found = peers.find("fd:7");
  EXPECT_EQ(found->remote, "[2001:db8::1]:443");
  EXPECT_EQ(found->server_name, "server.example");
  EXPECT_EQ(found->peer_names, "one\ntwo");
  EXPECT_TRUE(found->tls);
  EXPECT_EQ(peers.find("fd:23")->remote, "") << "of the same shard";

  std::strcpy(info.remote, "192.0.2.1:80");
  const auto second = peers.add(7, info);
  peers.forget(7, first); // comes late
  EXPECT_EQ(peers.find("fd:7")->remote, "192.0.2.1:80");
  peers.forget(7, second);
  EXPECT_EQ(peers.find("fd:7")->remote, "");
  EXPECT_EQ(found->remote, "[2001:db8::1]:443") << "kept by who has found it";
}

TEST(GrpcPeers, KnowNothingOfOtherNames) {
  Peers peers;
  sy_connection_info info{};
  std::strcpy(info.remote, "192.0.2.1:80");
  for (const int descriptor : {0, 1})
    static_cast<void>(peers.add(descriptor, info));
  for (const auto* uri :
       {"", "fd:", "fd:-1", "fd:1x", "fd:99999999999", "ipv4:1", "unix:", "fd: 1"})
    EXPECT_EQ(peers.find(uri)->remote, "") << uri;
}

TEST(GrpcMetadata, IsJudged) {
  const struct {
    std::string_view key;
    std::string_view value;
    bool legal;
  } cases[] = {
      {"index", "7", true},
      {"a_b-c.d9", " ~", true},
      {"empty", "", true},
      {"raw-bin", std::string_view{"\0\xff", 2}, true},
      {"", "x", false},
      {"Upper", "x", false},
      {"with space", "x", false},
      {"grpc-status", "0", false},
      {":path", "/", false},
      {"raw", std::string_view{"\0", 1}, false},
      {"raw", "line\n", false},
      {"raw", "\xc3\xa4", false},
      {"raw", "\x7f", false},
  };

  for (const auto& c : cases) {
    EXPECT_EQ(is_legal({text(c.key), bytes(c.value)}), c.legal) << c.key << '=' << c.value;
  }
}

TEST(GrpcDescriptors, KnowWhatIsOpen) {
  Descriptors descriptors;
  EXPECT_FALSE(descriptors.any_open());
  auto [first, second] = peer::socket_pair();
  descriptors.add(first.get());
  EXPECT_TRUE(descriptors.any_open());
  const auto number = first.get();
  first.close();
  EXPECT_FALSE(descriptors.any_open());
  // The same number for something else.
  descriptors.add(number);
  EXPECT_EQ(::dup2(second.get(), number), number);
  EXPECT_FALSE(descriptors.any_open());
  ::close(number);
}

} // namespace
} // namespace switchyard::grpc::test

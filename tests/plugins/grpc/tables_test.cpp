// Where calls find methods and peers, and what metadata may be.
#include "grpc.hpp"

#include <plugins/grpc/descriptors.hpp>
#include <plugins/grpc/metadata.hpp>
#include <plugins/grpc/peers.hpp>

#include <sys/un.h>

#include <cstring>

namespace switchyard::grpc::test {
namespace {

std::string name_of(int socket) {
  sockaddr_un address{};
  socklen_t size = sizeof address;
  EXPECT_EQ(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size), 0);
  return {address.sun_path + 1, size - offsetof(sockaddr_un, sun_path) - 1};
}

TEST(GrpcPeers, AreFoundByTheNameOfTheirSocket) {
  Peers peers;
  sy_connection_info info{};
  std::strcpy(info.remote, "[2001:db8::1]:443");
  info.tls = 1;
  info.server_name = text("server.example");
  info.peer_names = text("one\ntwo");
  const auto number = peers.add(info);
  const auto [first, second] = peer::socket_pair();
  ASSERT_TRUE(peers.name(first.get(), number));
  EXPECT_FALSE(peers.name(second.get(), number)) << "a name is given once";

  const auto uri = "unix-abstract:" + name_of(first.get());
  const auto found = peers.find(uri);
  EXPECT_EQ(found->remote, "[2001:db8::1]:443");
  EXPECT_EQ(found->server_name, "server.example");
  EXPECT_EQ(found->peer_names, "one\ntwo");
  EXPECT_TRUE(found->tls);
  EXPECT_EQ(Peers{}.find(uri)->remote, "") << "of another instance";
  peers.forget(number);
  EXPECT_EQ(peers.find(uri)->remote, "");
  EXPECT_EQ(found->remote, "[2001:db8::1]:443") << "kept by who has found it";
}

TEST(GrpcPeers, TakeAddressesAsTheyAre) {
  const Peers peers;

  const struct {
    std::string_view uri;
    std::string_view remote;
  } cases[] = {
      {"ipv4:127.0.0.1:80", "127.0.0.1:80"},
      {"ipv6:%5B::1%5D:80", "[::1]:80"},
      {"ipv6:[::1]:80", "[::1]:80"},
      {"ipv6:%5", "%5"},
      {"ipv6:%zz", "%zz"},
      {"unix:/path", ""},
      {"unix-abstract:switchyard-grpc-1", ""},
      {"", ""},
  };

  for (const auto& c : cases) {
    EXPECT_EQ(peers.find(c.uri)->remote, c.remote) << c.uri;
    EXPECT_FALSE(peers.find(c.uri)->tls);
  }
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

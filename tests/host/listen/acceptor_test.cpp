#include <host/listen/acceptor.hpp>
#include <host/listen/endpoint.hpp>

#include <boost/asio/post.hpp>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <future>
#include <unistd.h>
#include <vector>

namespace switchyard::host {
namespace {

const auto kAnyPort = *parse_endpoint("127.0.0.1:0");

int connect_to(const boost::asio::ip::tcp::endpoint& endpoint) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_EQ(::connect(socket, endpoint.data(), static_cast<socklen_t>(endpoint.size())), 0);
  return socket;
}

boost::asio::ip::tcp::endpoint local_endpoint(int socket) {
  boost::asio::ip::tcp::endpoint endpoint;
  auto size = static_cast<socklen_t>(endpoint.capacity());
  EXPECT_EQ(::getsockname(socket, endpoint.data(), &size), 0);
  return endpoint;
}

struct AcceptorTest : testing::Test {
  AcceptorTest() { loop.start(); }

  ~AcceptorTest() override { loop.stop(); }

  void start(Acceptor& acceptor) {
    acceptor.start(
        [this](Accepted accepted) {
          ::close(accepted.socket);
          peer = accepted.peer;
          ++taken;
        },
        [this](const boost::asio::ip::tcp::endpoint& from) {
          peer = from;
          ++turned_away;
        });
  }

  void on_loop(const std::function<void()>& task) {
    std::promise<void> done;
    boost::asio::post(loop.executor(), [&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }

  Loop loop{0, std::chrono::microseconds{0}};
  std::atomic<int> taken{0};
  std::atomic<int> turned_away{0};
  boost::asio::ip::tcp::endpoint peer; // the last one
};

TEST_F(AcceptorTest, SharesOneAddressBetweenLoops) {
  const auto first = *Acceptor::bind(loop, kAnyPort);
  const auto second = Acceptor::bind(loop, first->local_endpoint());
  ASSERT_TRUE(second) << second.error().message();
  EXPECT_EQ((*second)->local_endpoint(), first->local_endpoint());
}

TEST_F(AcceptorTest, KnowsThatSomebodyListensThere) {
  EXPECT_FALSE(Acceptor::try_alone(kAnyPort));
  const auto acceptor = *Acceptor::bind(loop, kAnyPort);
  const auto address_taken = acceptor->local_endpoint();
  EXPECT_EQ(Acceptor::try_alone(address_taken), boost::system::errc::address_in_use);
  on_loop([&] { acceptor->drain_and_close(); });
  EXPECT_FALSE(Acceptor::try_alone(address_taken));
  EXPECT_EQ(acceptor->local_endpoint(), address_taken) << "status goes on to name it in a drain";
}

TEST_F(AcceptorTest, SaysWhyItCannotBind) {
  const auto acceptor = Acceptor::bind(loop, *parse_endpoint("192.0.2.1:0")); // RFC 5737: nobody's
  ASSERT_FALSE(acceptor);
  EXPECT_EQ(acceptor.error(), boost::system::errc::address_not_available);
}

TEST_F(AcceptorTest, EmptiesItsQueueBeforeItCloses) {
  const auto acceptor = *Acceptor::bind(loop, kAnyPort);
  std::vector<int> clients;
  for (int i = 0; i < 100; ++i)
    clients.push_back(connect_to(acceptor->local_endpoint()));
  start(*acceptor);
  on_loop([&] { acceptor->drain_and_close(); });
  on_loop([&] { acceptor->drain_and_close(); });
  on_loop([&] { acceptor->drain_and_close(); });
  EXPECT_EQ(taken, 100);
  EXPECT_EQ(acceptor->accepted(), 100U);
  EXPECT_EQ(peer, local_endpoint(clients.back()));
  for (const int client : clients)
    ::close(client);
}

TEST_F(AcceptorTest, LeavesASharedQueueToWhoeverComesNext) {
  const int shared = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  ASSERT_EQ(::bind(shared, kAnyPort.data(), static_cast<socklen_t>(kAnyPort.size())), 0);
  ASSERT_EQ(::listen(shared, 16), 0);
  const auto address = local_endpoint(shared);
  std::vector<int> clients;
  const auto until_taken = [&](int count) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes{1};
    while (taken < count && std::chrono::steady_clock::now() < deadline)
      on_loop([] {});
    EXPECT_EQ(taken, count);
  };

  const auto first = *Acceptor::share(loop, shared);
  EXPECT_EQ(first->local_endpoint(), address);
  start(*first);
  clients.push_back(connect_to(address));
  until_taken(1);
  on_loop([&] { first->drain_and_close(); });
  for (int i = 0; i < 3; ++i)
    clients.push_back(connect_to(address));
  on_loop([] {});
  EXPECT_EQ(taken, 1) << "the loop does not hear of them";

  const auto second = *Acceptor::share(loop, shared);
  start(*second);
  until_taken(4);
  on_loop([&] { second->drain_and_close(); });
  for (const int client : clients)
    ::close(client);
  ::close(shared);
}

TEST_F(AcceptorTest, EmptiesAQueueThatIsFull) {
  std::ifstream limit{"/proc/sys/net/core/somaxconn"};
  int most = 0;
  ASSERT_TRUE(limit >> most);
  most = std::min(most, SOMAXCONN) + 1;
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = files.rlim_max;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
  if (files.rlim_max < static_cast<rlim_t>(most) + 100) GTEST_SKIP() << "too few descriptors";

  const auto acceptor = *Acceptor::bind(loop, kAnyPort);
  std::vector<int> clients;
  for (int i = 0; i < most; ++i)
    clients.push_back(connect_to(acceptor->local_endpoint()));
  on_loop([&] {
    start(*acceptor);
    acceptor->drain_and_close();
  });
  on_loop([] {}); // what start() has posted
  on_loop([] {}); // and what that has begun
  EXPECT_EQ(taken, most);
  for (const int client : clients)
    ::close(client);
}

TEST_F(AcceptorTest, ClosesThoughItWasNeverStarted) {
  const auto acceptor = *Acceptor::bind(loop, kAnyPort);
  const int client = connect_to(acceptor->local_endpoint());
  on_loop([&] { acceptor->drain_and_close(); });
  char byte = 0;
  EXPECT_LE(::recv(client, &byte, 1, 0), 0);
  EXPECT_EQ(acceptor->accepted(), 0U);
  ::close(client);
}

TEST_F(AcceptorTest, TurnsConnectionsAwayWhileNoDescriptorIsLeft) {
  const auto acceptor = *Acceptor::bind(loop, kAnyPort);
  const int client = connect_to(acceptor->local_endpoint());
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  // The spare is the highest descriptor in use; one more does not fit.
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(client) + 1;
  std::vector<int> holes;
  for (int fd = ::dup(0); fd >= 0 && fd < client; fd = ::dup(0))
    holes.push_back(fd);
  on_loop([] {}); // the undefined sanitizer opens a pipe at the first call of a kind
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  start(*acceptor);
  while (turned_away == 0)
    on_loop([] {}); // ctest's time limit is the net
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(taken, 0);
  EXPECT_EQ(acceptor->accepted(), static_cast<std::uint64_t>(turned_away));
  EXPECT_EQ(peer, local_endpoint(client));
  char byte = 0;
  EXPECT_LE(::recv(client, &byte, 1, 0), 0); // closed without a byte

  const int later = connect_to(acceptor->local_endpoint());
  while (taken == 0)
    on_loop([] {});
  on_loop([&] { acceptor->drain_and_close(); });
  for (const int fd : holes)
    ::close(fd);
  ::close(client);
  ::close(later);
}

} // namespace
} // namespace switchyard::host

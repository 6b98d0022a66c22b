#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <tests/host/connection/loop_fixture.hpp>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <vector>

namespace switchyard::host {
namespace {

/// Epoll sets, each in the next one: as deep as it goes, so that no set takes the outermost
/// (epoll_ctl(2), ELOOP).
class NestedSets {
public:
  NestedSets() {
    epoll_event event{};
    do {
      sets_.push_back(::epoll_create1(EPOLL_CLOEXEC));
    } while (sets_.size() < 2 ||
             ::epoll_ctl(sets_.back(), EPOLL_CTL_ADD, sets_[sets_.size() - 2], &event) == 0);
    ::close(sets_.back());
    sets_.pop_back();
  }

  ~NestedSets() {
    for (const int set : sets_)
      ::close(set);
  }

  NestedSets(const NestedSets&) = delete;
  NestedSets& operator=(const NestedSets&) = delete;

  [[nodiscard]] int take_outermost() {
    const int set = sets_.back();
    sets_.pop_back();
    return set;
  }

private:
  std::vector<int> sets_;
};

using Answer = std::pair<sy_status, std::size_t>;

struct ConnectionTest : testing::Test {
  ConnectionTest()
      : connection{fixture.run(
            [this] { return *Connection::open(fixture.owner(), pair.take(0), {}); })},
        peer{pair.take(1)} {
    ::fcntl(peer, F_SETFL, 0); // the test's own end may block
  }

  ~ConnectionTest() override {
    if (peer >= 0) ::close(peer);
  }

  template <class Task>
  auto run(Task task) {
    return fixture.run(std::move(task));
  }

  void hang_up() { ::close(std::exchange(peer, -1)); }

  SocketPair pair;
  LoopFixture fixture;
  Connection* connection;
  int peer;
};

TEST_F(ConnectionTest, SaysAgainUntilBytesAreThere) {
  char byte = 0;
  std::size_t transferred = 7;
  EXPECT_EQ(run([&] { return connection->try_read(&byte, 1, transferred); }), SY_AGAIN);
  EXPECT_EQ(transferred, 0U);

  Ended waited;
  run([&] { EXPECT_EQ(connection->wait_readable(&Ended::done, &waited), SY_OK); });
  ASSERT_EQ(::write(peer, "x", 1), 1);
  EXPECT_EQ(waited.wait(), (Answer{SY_OK, 0}));
  EXPECT_EQ(run([&] { return connection->try_read(&byte, 1, transferred); }), SY_OK);
  EXPECT_EQ(byte, 'x');
}

TEST_F(ConnectionTest, IsNotOpenedWhenTheKernelCannotWatchOneMore) {
  ClientLimit limit{10, 10};
  auto place = limit.try_acquire(boost::asio::ip::make_address("192.0.2.1"));
  NestedSets sets; // ELOOP stands for ENOSPC and ENOMEM, which no test can bring about
  const int socket = sets.take_outermost();
  const auto before = fixture.owner().counters().open();
  const auto opened =
      run([&] { return Connection::open(fixture.owner(), socket, std::move(place.slot)); });
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error(), boost::system::errc::too_many_symbolic_link_levels);
  EXPECT_EQ(::fcntl(socket, F_GETFD), -1) << "its socket is closed";
  EXPECT_EQ(limit.open(), 0U) << "its place has come back";
  EXPECT_EQ(fixture.owner().counters().open(), before);
}

TEST_F(ConnectionTest, GoesElsewhereAndStaysCounted) {
  const int duplicate = run([&] { return ::fcntl(connection->socket(), F_DUPFD_CLOEXEC, 0); });
  sy_connection_info info{};
  info.struct_size = sizeof info;
  run([&] {
    connection->describe(info);
    static_cast<void>(connection->go_elsewhere());
  });
  EXPECT_EQ(fixture.owner().counters().open(), 1U);
  ASSERT_EQ(::write(duplicate, "x", 1), 1) << "whoever has a duplicate has the connection";
  char byte = 0;
  EXPECT_EQ(::read(peer, &byte, 1), 1);
  run([&] { fixture.owner().ended_elsewhere(info.id, CloseReason::Finished); });
  EXPECT_EQ(fixture.owner().counters().open(), 0U);
  EXPECT_EQ(fixture.closed(CloseReason::Finished), 1U);
  ::close(duplicate);
}

TEST_F(ConnectionTest, SaysWhatTheProcessThatHasItsTlsSays) {
  sy_connection_info info{};
  info.struct_size = sizeof info;
  sy_descriptor descriptor{};
  descriptor.struct_size = sizeof descriptor;
  run([&] {
    connection->secured_elsewhere({"h2", "s.dc1", "a\nb", "192.0.2.1:1", "192.0.2.2:2"});
    connection->describe(info);
    EXPECT_EQ(connection->detach(descriptor), SY_UNSUPPORTED) << "as every one under TLS";
  });
  EXPECT_EQ(info.tls, 1U);
  EXPECT_EQ(std::string(info.alpn.data, info.alpn.size), "h2");
  EXPECT_EQ(std::string(info.server_name.data, info.server_name.size), "s.dc1");
  EXPECT_EQ(std::string(info.peer_names.data, info.peer_names.size), "a\nb");
  EXPECT_STREQ(info.remote, "192.0.2.1:1");
  EXPECT_STREQ(info.local, "192.0.2.2:2");
}

TEST_F(ConnectionTest, TellsItsOwnerOfEachEndByNumber) {
  std::vector<std::pair<std::uint64_t, CloseReason>> ends;
  SocketPair other;
  run([&] {
    fixture.owner().on_end(
        [&](std::uint64_t id, CloseReason reason) { ends.emplace_back(id, reason); });
    auto* passed = *Connection::open(fixture.owner(), other.take(0), {}, 77);
    passed->close(CloseReason::Limit);
    fixture.owner().on_end({});
  });
  EXPECT_EQ(ends, (std::vector{std::pair{std::uint64_t{77}, CloseReason::Limit}}));
}

TEST_F(ConnectionTest, ReadsZeroBytesAfterTheHalfClose) {
  std::array<char, 8> buffer{};
  Ended ended;
  run([&] { connection->read_some(buffer.data(), buffer.size(), &Ended::done, &ended); });
  ::shutdown(peer, SHUT_WR);
  EXPECT_EQ(ended.wait(), (Answer{SY_OK, 0}));
}

TEST_F(ConnectionTest, HasOneReadInFlight) {
  Ended ended;
  run([&] {
    EXPECT_EQ(connection->wait_readable(&Ended::done, &ended), SY_OK);
    EXPECT_EQ(connection->wait_readable(&Ended::done, &ended), SY_BUSY);
    connection->cancel();
  });
  EXPECT_EQ(ended.wait().first, SY_CANCELLED);
}

TEST_F(ConnectionTest, WritesMoreThanTheSocketHolds) {
  const std::string head(3'000'000, 'h');
  const std::string tail(1'000'000, 't');
  Ended ended;
  run([&] {
    const std::array<sy_bytes, 3> slices{
        {{head.data(), head.size()}, {nullptr, 0}, {tail.data(), tail.size()}}};
    EXPECT_EQ(connection->write(slices.data(), slices.size(), &Ended::done, &ended), SY_OK);
  });
  std::string got;
  std::vector<char> buffer(65'536);
  while (got.size() < head.size() + tail.size()) {
    const auto count = ::read(peer, buffer.data(), buffer.size());
    ASSERT_GT(count, 0);
    got.append(buffer.data(), static_cast<std::size_t>(count));
  }
  EXPECT_EQ(ended.wait(), (Answer{SY_OK, head.size() + tail.size()}));
  EXPECT_EQ(got, head + tail);
}

TEST_F(ConnectionTest, SaysClosedWhenThePeerIsGone) {
  hang_up();
  std::size_t transferred = 0;
  const sy_bytes slice{"x", 1};
  EXPECT_EQ(run([&] { return connection->try_write(&slice, 1, transferred); }), SY_CLOSED);
}

TEST_F(ConnectionTest, DropsOperationsInFlightWhenClosed) {
  bool called = false;
  run([&] {
    connection->wait_readable(
        [](void* context, sy_status, std::size_t) { *static_cast<bool*>(context) = true; },
        &called);
    connection->close(CloseReason::Finished);
  });
  run([] {}); // what the close has queued has run
  EXPECT_FALSE(called);
  EXPECT_EQ(fixture.closed(CloseReason::Finished), 1U);
  EXPECT_EQ(fixture.owner().counters().open(), 0U);
}

TEST_F(ConnectionTest, ExpiresAWaitWithTimedOut) {
  Ended ended;
  run([&] {
    connection->wait_readable(&Ended::done, &ended);
    connection->expire();
  });
  EXPECT_EQ(ended.wait().first, SY_TIMED_OUT);
}

TEST_F(ConnectionTest, WaitsForNothingOnceItHasExpired) {
  Ended read;
  Ended written;
  run([&] {
    connection->expire();
    connection->wait_readable(&Ended::done, &read);
    connection->wait_writable(&Ended::done, &written);
  });
  EXPECT_EQ(read.wait().first, SY_TIMED_OUT);
  EXPECT_EQ(written.wait().first, SY_TIMED_OUT);
}

TEST_F(ConnectionTest, CancelsAWriteThatHasYetToBegin) {
  const std::string more(4'000'000, 'm'); // than the socket holds
  Ended ended;
  run([&] {
    const sy_bytes slice{more.data(), more.size()};
    connection->write(&slice, 1, &Ended::done, &ended);
    connection->cancel();
  });
  EXPECT_EQ(ended.wait(), (Answer{SY_CANCELLED, 0}));
}

TEST_F(ConnectionTest, LeavesAPeekedByteInPlace) {
  Ended waited;
  run([&] { connection->wait_readable(&Ended::done, &waited); });
  ASSERT_EQ(::write(peer, "ab", 2), 2);
  EXPECT_EQ(waited.wait().first, SY_OK);
  std::uint8_t peeked = 0;
  std::array<char, 8> buffer{};
  std::size_t transferred = 0;
  run([&] {
    EXPECT_EQ(connection->peek(&peeked, 1, transferred), SY_OK);
    EXPECT_EQ(connection->try_read(buffer.data(), buffer.size(), transferred), SY_OK);
  });
  EXPECT_EQ(peeked, 'a');
  EXPECT_EQ(transferred, 2U);
}

TEST_F(ConnectionTest, IsKnownByItsHangUpOnceDetached) {
  sy_descriptor descriptor{};
  descriptor.struct_size = sizeof descriptor;
  run([&] { EXPECT_EQ(connection->detach(descriptor), SY_OK); });
  EXPECT_EQ(run([&] { return fixture.owner().hangups().open(); }), 1U);

  ASSERT_EQ(::write(peer, "still", 5), 5); // traffic is nobody's business but the plugin's
  char buffer[8];
  EXPECT_EQ(::read(descriptor.descriptor, buffer, sizeof buffer), 5);
  EXPECT_EQ(run([&] { return fixture.owner().counters().open(); }), 1U);

  ::shutdown(descriptor.descriptor, SHUT_RDWR);
  ::close(descriptor.descriptor);
  while (fixture.closed(CloseReason::HungUp) == 0)
    run([] {}); // ctest's time limit is the net
  EXPECT_EQ(run([&] { return fixture.owner().hangups().open(); }), 0U);
  EXPECT_EQ(fixture.owner().counters().open(), 0U);
}

TEST_F(ConnectionTest, EndsByAReasonWhenNobodyTakesTheDescriptor) {
  run([&] {
    const Connection::Ptr kept{connection};
    sy_descriptor descriptor{};
    descriptor.struct_size = sizeof descriptor;
    EXPECT_EQ(connection->detach(descriptor), SY_OK);
    connection->take_back(descriptor);
    EXPECT_EQ(fixture.owner().hangups().open(), 0U);
    connection->close(CloseReason::Refused);
  });
  char byte = 0;
  EXPECT_EQ(::read(peer, &byte, 1), 0) << "no duplicate keeps it open";
  EXPECT_EQ(fixture.closed(CloseReason::Refused), 1U);
  EXPECT_EQ(fixture.owner().counters().open(), 0U);

  // The watch goes on for others.
  SocketPair other;
  run([&] {
    auto* next = *Connection::open(fixture.owner(), other.take(0), {});
    sy_descriptor descriptor{};
    descriptor.struct_size = sizeof descriptor;
    EXPECT_EQ(next->detach(descriptor), SY_OK);
    ::shutdown(descriptor.descriptor, SHUT_RDWR);
    ::close(descriptor.descriptor);
  });
  while (fixture.closed(CloseReason::HungUp) == 0)
    run([] {}); // ctest's time limit is the net
  EXPECT_EQ(fixture.owner().counters().open(), 0U);
}

TEST_F(ConnectionTest, StaysWhenDetachedInTheMiddleOfARead) {
  Ended ended;
  sy_descriptor descriptor{};
  descriptor.struct_size = sizeof descriptor;
  run([&] {
    connection->wait_readable(&Ended::done, &ended);
    EXPECT_EQ(connection->detach(descriptor), SY_BUSY);
    connection->cancel();
  });
  EXPECT_EQ(ended.wait().first, SY_CANCELLED);
}

} // namespace
} // namespace switchyard::host

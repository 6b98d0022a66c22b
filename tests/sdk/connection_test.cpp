#include <switchyard/connection.hpp>
#include <switchyard/loops.hpp>
#include <switchyard/task.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tests/peer/fake_host.hpp>
#include <tests/peer/socket_pair.hpp>

#include <array>
#include <future>
#include <optional>
#include <string>
#include <unistd.h>

namespace switchyard {
namespace {

using namespace peer;
using testing::ElementsAre;

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span{text});
}

/// A coroutine on loop 0 of a fake host, with one connection whose other end the test has.
class ConnectionTest : public testing::Test {
protected:
  /// Makes the connection and runs `body(connection)`; a coroutine goes on from there.
  template <class Body>
  void serve(Body body) {
    auto [ours, theirs] = socket_pair();
    socket.emplace(std::move(ours));
    host.on_loop(
        0, [&, descriptor = theirs.release()] { body(Connection{host.connect(descriptor)}); });
  }

  void start(Task<> begun) {
    task = std::move(begun);
    task.start(
        [](void* self, std::exception_ptr) {
          static_cast<ConnectionTest*>(self)->ended.set_value();
        },
        this);
  }

  void TearDown() override {
    host.on_loop(0, [&] { task = {}; });
    EXPECT_EQ(host.connections, 0);
    EXPECT_EQ(host.timers, 0);
  }

  FakeHost host;
  std::optional<Socket> socket;
  std::promise<void> ended;
  Task<> task;
};

TEST_F(ConnectionTest, ClosesAsAFaultWhenNobodySaysWhy) {
  serve([](Connection connection) { EXPECT_TRUE(connection); });
  EXPECT_THAT(host.closed(1), ElementsAre(SY_CLOSE_INTERNAL));
}

TEST_F(ConnectionTest, ClosesOnce) {
  serve([](Connection connection) {
    connection.close(SY_CLOSE_LIMIT);
    EXPECT_FALSE(connection);
    connection.close(SY_CLOSE_LIMIT);
  });
  EXPECT_THAT(host.closed(1), ElementsAre(SY_CLOSE_LIMIT));
}

TEST_F(ConnectionTest, BelongsToWhomItIsMoved) {
  serve([](Connection connection) {
    Connection other{std::move(connection)};
    EXPECT_FALSE(connection); // NOLINT(bugprone-use-after-move)
    other.close(SY_CLOSE_FINISHED);
  });
  EXPECT_THAT(host.closed(1), ElementsAre(SY_CLOSE_FINISHED));
}

TEST_F(ConnectionTest, TriesToReadAndWrite) {
  serve([&](Connection connection) {
    std::array<std::byte, 8> buffer{};
    EXPECT_EQ(connection.try_read(buffer).error, Status::Again);
    socket->send("hi");
    const auto read = connection.try_read(buffer);
    EXPECT_FALSE(read.error);
    EXPECT_EQ(read.bytes, 2u);
    const std::array slices{to_c(bytes("ab")), to_c(bytes("cd"))};
    EXPECT_EQ(connection.try_write(slices).bytes, 4u);
    EXPECT_EQ(connection.try_write(bytes("ef")).bytes, 2u);
    EXPECT_FALSE(connection.shutdown_write());
    connection.close(SY_CLOSE_FINISHED);
  });
  EXPECT_EQ(socket->receive_all(), "abcdef");
}

Task<> echo(Connection connection) {
  std::array<std::byte, 4> buffer{};
  for (;;) {
    if ((co_await connection.wait_readable()).error) co_return;
    const auto read = co_await connection.read_some(buffer);
    if (read.error || read.bytes == 0) break;
    const auto written = co_await connection.write(std::span{buffer}.first(read.bytes));
    if (written.error) co_return;
  }
  connection.close(SY_CLOSE_FINISHED);
}

TEST_F(ConnectionTest, IsAwaited) {
  serve([&](Connection connection) { start(echo(std::move(connection))); });
  socket->send("hello, world");
  EXPECT_EQ(socket->receive(12), "hello, world");
  socket->finish();
  EXPECT_EQ(socket->receive_all(), "");
  ended.get_future().wait();
  EXPECT_THAT(host.closed(1), ElementsAre(SY_CLOSE_FINISHED));
}

TEST_F(ConnectionTest, GoesWithTheCoroutineThatWaitsForIt) {
  serve([&](Connection connection) { start(echo(std::move(connection))); });
  host.on_loop(0, [&] { task = {}; });
  EXPECT_EQ(socket->receive_all(), "");
  EXPECT_THAT(host.closed(1), ElementsAre(SY_CLOSE_INTERNAL));
}

Task<> read_twice(const Connection& connection, std::error_code& first, std::error_code& second) {
  std::array<std::byte, 4> buffer{};
  first = (co_await connection.read_some(buffer)).error;
  second = (co_await connection.read_some(buffer)).error;
}

TEST_F(ConnectionTest, AnswersAtOnceWhatItCannotStart) {
  Connection connection;
  std::error_code first;
  std::error_code second;
  Task<> other;
  serve([&](Connection taken) {
    connection = std::move(taken);
    start(read_twice(connection, first, second));
    std::promise<void> done;
    other = [](const Connection& busy, std::promise<void>& told) -> Task<> {
      std::array<std::byte, 4> buffer{};
      EXPECT_EQ((co_await busy.read_some(buffer)).error, Status::Busy);
      told.set_value();
    }(connection, done);
    other.start([](void*, std::exception_ptr) {}, nullptr);
    done.get_future().wait();
  });
  host.on_loop(0, [&] { connection.cancel(); });
  socket->send("x");
  ended.get_future().wait();
  EXPECT_EQ(first, Status::Cancelled);
  EXPECT_FALSE(second);
  host.on_loop(0, [&] { connection.close(SY_CLOSE_FINISHED); });
}

TEST_F(ConnectionTest, IsDescribed) {
  serve([](Connection connection) {
    sy_connection_info info;
    EXPECT_FALSE(connection.describe(info));
    EXPECT_EQ(info.struct_size, sizeof info);
    EXPECT_EQ(info.tag, 14);
  });
}

TEST_F(ConnectionTest, BecomesItsDescriptor) {
  int descriptor = -1;
  serve([&](Connection connection) {
    sy_descriptor detached;
    EXPECT_FALSE(connection.detach(detached));
    EXPECT_FALSE(connection);
    descriptor = detached.descriptor;
  });
  socket->send("x");
  char byte = 0;
  EXPECT_EQ(::read(descriptor, &byte, 1), 1);
  ::close(descriptor);
}

TEST_F(ConnectionTest, StaysItselfUnderTls) {
  auto [ours, theirs] = socket_pair();
  host.on_loop(0, [&, descriptor = theirs.release()] {
    Connection connection{host.connect(descriptor, true)};
    sy_descriptor detached;
    EXPECT_EQ(connection.detach(detached), Status::Unsupported);
    EXPECT_TRUE(connection);
  });
}

} // namespace
} // namespace switchyard

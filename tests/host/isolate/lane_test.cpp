#include "../connection/loop_fixture.hpp"

#include <host/isolate/lane.hpp>
#include <host/services/instance_services.hpp>

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <poll.h>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

namespace switchyard::host {
namespace {

using namespace std::chrono_literals;

constexpr int kLimitMs = 10'000;

class LaneTest : public testing::Test {
protected:
  template <class Task>
  auto on_lane(Task task) {
    return loop_.run([this, &task] { return task(*lane_); });
  }

  ~LaneTest() override {
    on_lane([](Lane& lane) { lane.close(); });
    loop_.run([this] { lane_.reset(); });
  }

  /// Gives the lane a connection; its other end.
  FileDescriptor arrive(sy_status expected = SY_OK) {
    SocketPair pair;
    FileDescriptor client{pair.take(0)};
    const auto status = on_lane([&](Lane& lane) {
      auto& connection = **Connection::open(loop_.owner(), pair.take(1), {});
      connection.route_to(take_place(instance_), "echo", 14);
      connection.set_listener("server");
      const auto taken = lane.take(0, connection);
      if (taken != SY_OK) connection.close(CloseReason::Refused);
      return taken;
    });
    EXPECT_EQ(status, expected);
    return client;
  }

  /// A process at the other end of the lane.
  Channel start_process() {
    auto pair = Channel::pair();
    on_lane([&](Lane& lane) { lane.open(std::move(pair.ours)); });
    return std::move(pair.theirs);
  }

  static Channel::Received next(const Channel& process) {
    pollfd readable{process.descriptor(), POLLIN, 0};
    EXPECT_EQ(::poll(&readable, 1, kLimitMs), 1);
    return process.receive();
  }

  /// The next connection that was passed, taken.
  static Passed take(const Channel& process) {
    const auto received = next(process);
    EXPECT_EQ(process.send(Taken{}), Channel::Sent::Whole);
    return std::get<Passed>(received.message);
  }

  /// Waits until `client` has nothing but the end to read.
  static void expect_end(const FileDescriptor& client) {
    pollfd readable{client.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&readable, 1, kLimitMs), 1);
    char byte = 0;
    EXPECT_EQ(::read(client.get(), &byte, 1), 0);
  }

  LoopFixture loop_;
  Services services_{
      {[](std::string_view, sy_log_level, std::string_view) {}, [](sy_log_level) { return false; }},
      0ms};
  InstanceServices instance_{services_, {}, "echo", {}};
  std::promise<void> fault_;
  std::shared_ptr<Lane> lane_ =
      std::make_shared<Lane>(loop_.owner(), instance_, 1h, [this] { fault_.set_value(); });
};

TEST_F(LaneTest, PassesASocketAndKeepsItsPlace) {
  const auto process = start_process();
  const auto client = arrive();
  const auto received = next(process);
  const auto* passed = std::get_if<Passed>(&received.message);
  ASSERT_NE(passed, nullptr);
  EXPECT_EQ(passed->protocol, 0U);
  EXPECT_EQ(passed->tag, 14);
  EXPECT_EQ(passed->listener, "server");
  EXPECT_FALSE(passed->tls);
  ASSERT_EQ(::write(received.descriptor.get(), "x", 1), 1) << "the process has the socket itself";
  char byte = 0;
  EXPECT_EQ(::read(client.get(), &byte, 1), 1);
  EXPECT_EQ(instance_.connections, 1U);
  EXPECT_EQ(loop_.owner().counters().open(), 1U);

  EXPECT_EQ(process.send(Taken{}), Channel::Sent::Whole);
  EXPECT_EQ(process.send(PassedEnded{passed->id, CloseReason::TimedOut}), Channel::Sent::Whole);
  EXPECT_EQ(process.send(PassedEnded{12345, CloseReason::Internal}), Channel::Sent::Whole)
      << "nobody's";
  on_lane([](Lane& lane) { lane.close(); });
  EXPECT_EQ(instance_.connections, 0U);
  EXPECT_EQ(instance_.errors, 0U);
  EXPECT_EQ(loop_.closed(CloseReason::TimedOut), 1U);
}

TEST_F(LaneTest, HoldsConnectionsUntilThereIsAProcess) {
  std::vector<FileDescriptor> clients;
  for (int number = 0; number < 3; ++number)
    clients.push_back(arrive());
  const auto process = start_process();
  std::vector<std::uint64_t> ids;
  for (int number = 0; number < 3; ++number)
    ids.push_back(take(process).id);
  EXPECT_LT(ids[0], ids[1]);
  EXPECT_LT(ids[1], ids[2]);
}

TEST_F(LaneTest, EndsWhatAProcessHadWithIt) {
  FileDescriptor client;
  {
    const auto process = start_process();
    client = arrive();
    static_cast<void>(take(process));
  }
  on_lane([](Lane& lane) { lane.cut(); });
  expect_end(client);
  EXPECT_EQ(instance_.connections, 0U);
  EXPECT_EQ(instance_.errors, 1U);
  EXPECT_EQ(loop_.closed(CloseReason::Internal), 1U);

  const auto waits = arrive();
  const auto process = start_process();
  static_cast<void>(take(process)); // the next process has it
}

TEST_F(LaneTest, GivesTheNextProcessWhatNoneHasTaken) {
  FileDescriptor client;
  std::uint64_t id = 0;
  {
    const auto process = start_process();
    client = arrive();
    id = std::get<Passed>(next(process).message).id;
  }
  on_lane([](Lane& lane) { lane.cut(); });
  const auto process = start_process();
  EXPECT_EQ(take(process).id, id);
  EXPECT_EQ(instance_.errors, 0U);
}

TEST_F(LaneTest, HearsWhatAProcessSaidBeforeItsEnd) {
  auto process = start_process();
  const auto client = arrive();
  const auto id = take(process).id;
  EXPECT_EQ(process.send(PassedEnded{id, CloseReason::Finished}), Channel::Sent::Whole);
  process = Channel{};
  on_lane([](Lane& lane) { lane.cut(); });
  EXPECT_EQ(loop_.closed(CloseReason::Finished), 1U);
  EXPECT_EQ(instance_.errors, 0U);
}

TEST_F(LaneTest, RefusesWhatHasWaitedForTooLong) {
  loop_.run([this] { lane_ = std::make_shared<Lane>(loop_.owner(), instance_, 0ms, [] {}); });
  const auto client = arrive();
  expect_end(client);
  EXPECT_EQ(loop_.run([this] { return loop_.closed(CloseReason::Refused); }), 1U);
  EXPECT_EQ(instance_.errors, 1U);
}

TEST_F(LaneTest, RefusesMoreThanCanWait) {
  std::vector<FileDescriptor> clients;
  for (std::size_t number = 0; number < Lane::kWaitingMax; ++number)
    clients.push_back(arrive());
  static_cast<void>(arrive(SY_BUSY));
  on_lane([](Lane& lane) { lane.close_waiting(); });
  EXPECT_EQ(loop_.closed(CloseReason::Drained), Lane::kWaitingMax);
}

TEST_F(LaneTest, SendsOnOnceTheProcessReadsAgain) {
  const auto process = start_process();
  std::vector<FileDescriptor> clients;
  constexpr std::size_t kMany = 400; // more than the socket of the channel holds
  for (std::size_t number = 0; number < kMany; ++number)
    clients.push_back(arrive());
  for (std::size_t number = 0; number < kMany; ++number)
    ASSERT_EQ(next(process).heard, Channel::Heard::Whole) << number;
}

TEST_F(LaneTest, TellsOfAProcessThatTakesWhatWasNotPassed) {
  const auto process = start_process();
  EXPECT_EQ(process.send(Taken{}), Channel::Sent::Whole);
  EXPECT_EQ(
      fault_.get_future().wait_for(std::chrono::milliseconds{kLimitMs}), std::future_status::ready);
}

} // namespace
} // namespace switchyard::host

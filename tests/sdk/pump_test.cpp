#include <switchyard/pump.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tests/peer/fake_host.hpp>
#include <tests/peer/socket_pair.hpp>

#include <future>
#include <string>

namespace switchyard {
namespace {

using namespace peer;
using testing::Each;
using testing::ElementsAre;

constexpr std::uint64_t kSecond = 1'000'000'000;

class PumpTest : public testing::Test {
protected:
  PumpTest() : PumpTest{socket_pair(), socket_pair()} {}

  PumpTest(std::pair<Socket, Socket> outer, std::pair<Socket, Socket> inner)
      : wire{std::move(outer.first)}, library{std::move(inner.first)} {
    host.on_loop(0, [&, at_wire = outer.second.release(), at_library = inner.second.release()] {
      EXPECT_EQ(
          sy_pump_start(
              host.get(),
              host.connect(at_wire, true),
              host.connect(at_library),
              10 * kSecond,
              [](void* self) { static_cast<PumpTest*>(self)->done.set_value(); },
              this,
              &pump),
          SY_OK);
    });
  }

  void TearDown() override {
    EXPECT_EQ(host.connections, 0);
    EXPECT_EQ(host.timers, 0);
  }

  /// The loop has done what the bytes and the clock so far make it do.
  void settle() {
    host.on_loop(0, [] {});
  }

  void wait_for_end() { done.get_future().wait(); }

  FakeHost host;
  Socket wire;
  Socket library;
  sy_pump* pump = nullptr;
  std::promise<void> done;
};

TEST_F(PumpTest, CopiesInBothDirectionsAtOnce) {
  const std::string there(3'000'000, 'a');
  const std::string back(2'000'000, 'b');
  auto library_sends = std::async(std::launch::async, [&] {
    library.send(back);
    library.finish();
  });
  auto wire_sends = std::async(std::launch::async, [&] {
    wire.send(there);
    wire.finish();
  });
  auto library_gets = std::async(std::launch::async, [&] { return library.receive_all(); });
  EXPECT_EQ(wire.receive_all(), back);
  EXPECT_EQ(library_gets.get(), there);
  wait_for_end();
  EXPECT_THAT(host.closed(2), Each(SY_CLOSE_FINISHED));
}

TEST_F(PumpTest, PassesAHalfCloseOnAndGoesOn) {
  wire.send("question");
  wire.finish();
  EXPECT_EQ(library.receive_all(), "question");
  settle();
  host.advance(9 * kSecond);
  library.send("first");
  EXPECT_EQ(wire.receive(5), "first");
  settle();
  host.advance(9 * kSecond); // 18 s since the half-close, 9 s since the last byte
  settle();
  library.send("last");
  library.finish();
  EXPECT_EQ(wire.receive_all(), "last");
  wait_for_end();
  EXPECT_THAT(host.closed(2), Each(SY_CLOSE_FINISHED));
}

TEST_F(PumpTest, EndsAHalfClosedConnectionInWhichNothingMoves) {
  wire.finish();
  EXPECT_EQ(library.receive_all(), "");
  settle();
  host.advance(10 * kSecond);
  EXPECT_EQ(wire.receive_all(), "");
  wait_for_end();
  EXPECT_THAT(host.closed(2), Each(SY_CLOSE_TIMED_OUT));
}

TEST_F(PumpTest, DeliversTheAnswerOfALibraryThatCloses) {
  library.send("answer");
  library.close();
  EXPECT_EQ(wire.receive(6), "answer");
  wire.finish();
  EXPECT_EQ(wire.receive_all(), "");
  wait_for_end();
  EXPECT_THAT(host.closed(2), Each(SY_CLOSE_FINISHED));
}

TEST_F(PumpTest, EndsWhenThePeerSendsToALibraryThatHasClosed) {
  library.close();
  EXPECT_EQ(wire.receive_all(), "");
  wire.send("too late");
  wait_for_end();
  EXPECT_THAT(host.closed(2), Each(SY_CLOSE_FINISHED));
}

TEST_F(PumpTest, EndsWithThePeer) {
  library.send("unread");
  EXPECT_EQ(wire.receive(1), "u");
  wire.close(); // with bytes unread: a reset
  wait_for_end();
  EXPECT_THAT(host.closed(2), Each(SY_CLOSE_PEER_GONE));
  EXPECT_EQ(library.receive_all(), "");
}

TEST_F(PumpTest, HoldsLittleOfWhatIsNotRead) {
  std::size_t sent = 0;
  for (auto more = wire.fill('x'); more != 0; more = wire.fill('x')) {
    sent += more;
    host.on_loop(0, [] {});
  }
  EXPECT_LT(sent, 2u << 20);
  auto reader = std::async(std::launch::async, [&] { return library.receive(sent); });
  EXPECT_EQ(reader.get(), std::string(sent, 'x'));
  host.on_loop(0, [&] { sy_pump_stop(pump, SY_CLOSE_DRAINED); });
}

TEST_F(PumpTest, StopsInTheMiddle) {
  while (wire.fill('x') != 0)
    host.on_loop(0, [] {});
  library.finish();
  EXPECT_EQ(wire.receive_all(), "");
  host.on_loop(0, [&] { sy_pump_stop(pump, SY_CLOSE_DRAINED); });
  EXPECT_THAT(host.closed(2), ElementsAre(SY_CLOSE_DRAINED, SY_CLOSE_DRAINED));
}

} // namespace
} // namespace switchyard

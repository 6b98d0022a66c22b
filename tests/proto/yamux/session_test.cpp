#include "echo.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>

namespace switchyard::yamux::test {
namespace {

using namespace std::chrono_literals;

constexpr Limits kLimits;
const auto kSyn = flags({Flag::Syn});
const auto kAck = flags({Flag::Ack});
const auto kFin = flags({Flag::Fin});
const auto kRst = flags({Flag::Rst});

struct Outcome {
  std::string log;
  std::string output;
  boost::system::error_code error;
  std::size_t streams = 0;
};

/// Plays `input` to a server that echoes, in pieces that end at `cuts` (ascending).
Outcome play(const Bytes& input, const std::vector<std::size_t>& cuts, const Limits& limits) {
  Session session{Role::Server, limits, 0s};
  Echo echo{session};
  std::size_t begin = 0;
  const auto feed = [&](std::size_t end) {
    const auto done = session.receive(std::span{input}.subspan(begin, end - begin), echo);
    begin = end;
    return done.error();
  };
  boost::system::error_code error;
  for (const auto cut : cuts) {
    if (!error) error = feed(cut);
  }
  if (!error) error = feed(input.size());
  return {echo.log(), describe(session.output()), error, session.stream_count()};
}

struct Script {
  std::string_view name;
  Bytes input;
  std::string log;
  std::string output;
  boost::system::error_code error{};
  std::size_t streams = 0;
};

/// The outcome is the same whole, cut at any one place, and byte by byte.
void expect_whatever_the_split(const Script& script, const Limits& limits = kLimits) {
  SCOPED_TRACE(script.name);
  const auto expect = [&](const std::vector<std::size_t>& cuts) {
    const auto outcome = play(script.input, cuts, limits);
    EXPECT_EQ(outcome.log, script.log);
    EXPECT_EQ(outcome.output, script.output);
    EXPECT_EQ(outcome.error, script.error);
    if (!script.error) {
      EXPECT_EQ(outcome.streams, script.streams);
    }
  };
  expect({});
  std::vector<std::size_t> all;
  for (std::size_t cut = 1; cut < script.input.size(); ++cut) {
    all.push_back(cut);
    if (script.input.size() < 512) expect({cut});
  }
  expect(all);
}

TEST(YamuxSession, ServesStreams) {
  const Script scripts[] = {
      {"nothing", {}, "", ""},
      {"open", window(1, kSyn), "open 1", "window ACK 1 0\n", {}, 1},
      {"open with data behind",
       window(1, kSyn) + data(1, "abc"),
       "open 1\ndata 1 abc",
       "window ACK 1 0\ndata 1 abc\n",
       {},
       1},
      {"open on a data frame",
       data(1, "abc", kSyn),
       "open 1\ndata 1 abc",
       "window ACK 1 0\ndata 1 abc\n",
       {},
       1},
      {"open, send and finish in one frame",
       data(1, "abc", kSyn | kFin),
       "open 1\ndata 1 abc\nfinish 1",
       "window ACK 1 0\ndata 1 abc\nwindow FIN 1 0\n"},
      {"open and finish without data",
       window(1, kSyn) + window(1, kFin),
       "open 1\nfinish 1",
       "window ACK 1 0\nwindow FIN 1 0\n"},
      {"open and reset in one frame",
       window(1, kSyn | kRst),
       "open 1\nreset 1",
       "window ACK 1 0\n"},
      {"open, send and reset",
       window(1, kSyn) + data(1, "a") + window(1, kRst) + data(1, "late"),
       "open 1\ndata 1 a\nreset 1",
       "window ACK 1 0\ndata 1 a\n"},
      {"payload that comes with a reset is dropped",
       window(1, kSyn) + data(1, "abc", kRst),
       "open 1\nreset 1",
       "window ACK 1 0\n"},
      {"two streams",
       window(1, kSyn) + window(3, kSyn) + data(3, "b") + data(1, "a") + data(3, "c"),
       "open 1\nopen 3\ndata 3 b\ndata 1 a\ndata 3 c",
       "window ACK 1 0\nwindow ACK 3 0\ndata 3 b\ndata 1 a\ndata 3 c\n",
       {},
       2},
      {"ids of either parity, in any order",
       window(8, kSyn) + window(3, kSyn) + data(8, "x"),
       "open 8\nopen 3\ndata 8 x",
       "window ACK 8 0\nwindow ACK 3 0\ndata 8 x\n",
       {},
       2},
      {"an id again, after its stream has gone",
       window(1, kSyn) + window(1, kFin) + window(1, kSyn),
       "open 1\nfinish 1\nopen 1",
       "window ACK 1 0\nwindow FIN 1 0\nwindow ACK 1 0\n",
       {},
       1},
      {"an empty data frame", window(1, kSyn) + data(1, ""), "open 1", "window ACK 1 0\n", {}, 1},
      {"an empty data frame finishes",
       window(1, kSyn) + data(1, "", kFin),
       "open 1\nfinish 1",
       "window ACK 1 0\nwindow FIN 1 0\n"},
      {"a window that a reset cuts through",
       window(1, kSyn, 5) + window(1, 0, 5) + window(1, kRst),
       "open 1\nreset 1",
       "window ACK 1 0\n"},
      {"undefined flags are ignored",
       window(1, 0x8000 | kSyn),
       "open 1",
       "window ACK 1 0\n",
       {},
       1},
      {"an ACK for a stream of the peer's own means nothing",
       window(1, kSyn) + window(1, kAck),
       "open 1",
       "window ACK 1 0\n",
       {},
       1},
  };
  for (const auto& script : scripts)
    expect_whatever_the_split(script);
}

TEST(YamuxSession, DrainsAndIgnoresFramesOfUnknownStreams) {
  const Script scripts[] = {
      {"data", data(9, "xxxx") + ping(kSyn, 7), "", "ping ACK 0 7\n"},
      {"data of stream 0", data(0, "xxxx") + ping(kSyn, 7), "", "ping ACK 0 7\n"},
      {"window", window(9, 0, 5) + ping(kSyn, 7), "", "ping ACK 0 7\n"},
      {"finish and reset", window(9, kFin) + window(9, kRst) + ping(kSyn, 7), "", "ping ACK 0 7\n"},
  };
  for (const auto& script : scripts)
    expect_whatever_the_split(script);
}

TEST(YamuxSession, AnswersForTheSession) {
  const Script scripts[] = {
      {"ping", ping(kSyn, 0xdeadbeef), "", "ping ACK 0 3735928559\n"},
      {"an answer nobody asked for", ping(kAck, 5), "", ""},
      {"a normal goaway, told once; pings and streams go on",
       window(1, kSyn) + go_away(0) + go_away(0) + ping(kSyn, 1) + data(1, "a"),
       "open 1\ngoaway\ndata 1 a",
       "window ACK 1 0\nping ACK 0 1\ndata 1 a\n",
       {},
       1},
  };
  for (const auto& script : scripts)
    expect_whatever_the_split(script);
}

TEST(YamuxSession, EndsWhenThePeerBreaksTheProtocol) {
  const auto open = window(1, kSyn);
  const auto version_1 = Bytes(1, std::byte{1}) + Bytes(11);
  const auto type_7 = Bytes(1) + Bytes(1, std::byte{7}) + Bytes(10);
  const Script scripts[] = {
      {"version", version_1, "", "", Error::UnknownVersion},
      {"type", type_7, "", "", Error::UnknownType},
      {"SYN for stream 0", window(0, kSyn), "", "", Error::StreamZero},
      {"SYN twice", open + open, "open 1", "window ACK 1 0\n", Error::StreamReused},
      {"grants beyond 32 bits",
       open + window(1, 0, 0xffffffff - kWindow) + window(1, 0, 1),
       "open 1",
       "window ACK 1 0\n",
       Error::WindowOverflow},
      {"a SYN that grants beyond 32 bits",
       window(1, kSyn, 0xffffffff),
       "open 1",
       "window ACK 1 0\n",
       Error::WindowOverflow},
      {"goaway 1", go_away(1), "", "", Error::PeerProtocolError},
      {"goaway 2", go_away(2), "", "", Error::PeerInternalError},
      {"goaway 3", go_away(3), "", "", Error::UnknownGoAway},
  };
  for (const auto& script : scripts)
    expect_whatever_the_split(script);
}

/// An application that takes what comes and does nothing by itself.
class Quiet final : public Events {
public:
  void on_open(std::uint32_t stream) override { opened.push_back(stream); }

  void on_data(std::uint32_t stream, std::span<const std::byte> piece) override {
    received[stream] += piece.size();
    if (when_data) when_data(stream, piece.size());
  }

  void on_finish(std::uint32_t stream) override { finished.push_back(stream); }

  void on_reset(std::uint32_t stream) override { reset.push_back(stream); }

  void on_writable(std::uint32_t stream) override {
    writable.push_back(stream);
    if (when_writable) when_writable(stream);
  }

  void on_go_away() override {}

  void on_farewell_heard() override { ++farewells_heard; }

  std::size_t farewells_heard = 0;
  std::vector<std::uint32_t> opened, finished, reset, writable;
  std::map<std::uint32_t, std::size_t> received;
  std::function<void(std::uint32_t, std::size_t)> when_data;
  std::function<void(std::uint32_t)> when_writable;
};

/// A session with the application above, and what it has sent.
struct Side {
  explicit Side(Role role, const Limits& limits = kLimits) : session{role, limits, 0s} {}

  boost::system::error_code receive(const Bytes& wire) {
    return session.receive(wire, app).error();
  }

  /// Takes what waits to be sent.
  std::string sent() { return describe(session.take_output()); }

  Session session;
  Quiet app;
};

TEST(YamuxSession, EndsAtASecondFinishAndAtDataBehindTheFirst) {
  const struct {
    std::string_view name;
    Bytes input;
    boost::system::error_code error;
  } cases[] = {
      {"FIN", window(1, kFin), Error::UnexpectedFinish},
      {"FIN on data", data(1, "a", kFin), Error::UnexpectedFinish},
      {"data", data(1, "a"), Error::DataAfterFinish},
      {"empty data", data(1, ""), {}},
      {"a window", window(1, 0, 5), {}},
      {"a reset", window(1, kRst), {}},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    Side server{Role::Server};
    ASSERT_FALSE(server.receive(window(1, kSyn) + window(1, kFin)));
    server.session.accept(1);
    EXPECT_EQ(server.receive(c.input), c.error);
  }
}

TEST(YamuxSession, StaysHalfOpenUntilBothSidesHaveFinished) {
  Side server{Role::Server};
  ASSERT_FALSE(server.receive(window(1, kSyn) + window(3, kSyn) + data(1, "a", kFin)));
  EXPECT_EQ(server.app.finished, std::vector{1u});
  server.session.accept(1);
  server.session.accept(3);
  EXPECT_EQ(server.session.write(1, bytes("answer")), 6u);
  server.session.finish(1);
  EXPECT_FALSE(server.session.is_open(1));

  server.session.finish(3);
  ASSERT_TRUE(server.session.is_open(3));
  ASSERT_FALSE(server.receive(data(3, "bc") + window(3, kFin)));
  EXPECT_EQ(server.app.received[3], 2u);
  EXPECT_FALSE(server.session.is_open(3));
  EXPECT_EQ(
      server.sent(),
      "window ACK 1 0\nwindow ACK 3 0\ndata 1 answer\nwindow FIN 1 0\nwindow FIN 3 0\n");
}

TEST(YamuxSession, SaysNothingMoreOfAStreamItHasReset) {
  Side server{Role::Server};
  server.app.when_data = [&](std::uint32_t stream, std::size_t) { server.session.reset(stream); };
  const auto wire = window(1, kSyn) + data(1, "abc", kFin);
  ASSERT_FALSE(server.receive(Bytes(wire.begin(), wire.end() - 2)));
  ASSERT_FALSE(server.receive(Bytes(wire.end() - 2, wire.end())));
  ASSERT_FALSE(server.receive(data(1, "late") + window(1, kRst)));
  EXPECT_EQ(server.app.received[1], 1u);
  EXPECT_TRUE(server.app.finished.empty());
  EXPECT_TRUE(server.app.reset.empty());
  EXPECT_EQ(server.sent(), "window RST 1 0\n");
}

TEST(YamuxSession, GrantsWindowOnceHalfOfItIsConsumed) {
  Side server{Role::Server};
  ASSERT_FALSE(server.receive(window(1, kSyn) + data(1, std::string(kWindow, 'x'))));
  EXPECT_EQ(server.app.received[1], kWindow);
  server.session.consumed(1, kWindow / 2 - 1);
  EXPECT_EQ(server.sent(), "");
  server.session.consumed(1, 1);
  EXPECT_EQ(server.sent(), "window 1 131072\n");
  server.session.consumed(1, kWindow / 2);
  EXPECT_EQ(server.sent(), "window 1 131072\n");
  EXPECT_FALSE(server.receive(data(1, std::string(kWindow, 'x'))));
}

TEST(YamuxSession, GrantsNothingToAStreamThatIsFinishedOrGone) {
  Side server{Role::Server};
  ASSERT_FALSE(server.receive(data(1, std::string(kWindow, 'x'), kSyn | kFin)));
  server.session.consumed(1, kWindow);
  server.session.consumed(9, kWindow);
  EXPECT_EQ(server.sent(), "");
}

TEST(YamuxSession, EndsWhenTheWindowIsExceeded) {
  const struct {
    std::string_view name;
    std::size_t first, consumed, second;
    boost::system::error_code error;
  } cases[] = {
      {"one byte too many at once", kWindow + 1, 0, 0, Error::WindowExceeded},
      {"exactly the window", kWindow, 0, 0, {}},
      {"one byte after the window", kWindow, 0, 1, Error::WindowExceeded},
      {"consumed but not granted yet", kWindow, kWindow / 2 - 1, 1, Error::WindowExceeded},
      {"all that was granted", kWindow, kWindow / 2, kWindow / 2, {}},
      {"more than was granted", kWindow, kWindow / 2, kWindow / 2 + 1, Error::WindowExceeded},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    Side server{Role::Server};
    auto error = server.receive(window(1, kSyn) + data(1, std::string(c.first, 'x')));
    if (!error) server.session.consumed(1, c.consumed);
    if (!error && c.second > 0) error = server.receive(data(1, std::string(c.second, 'x')));
    EXPECT_EQ(error, c.error);
  }
}

TEST(YamuxSession, WritesNoMoreThanThePeersWindow) {
  Side server{Role::Server};
  ASSERT_FALSE(server.receive(window(1, kSyn, 5)));
  server.session.accept(1);
  (void)server.sent();
  const Bytes answer(kWindow, std::byte{'x'});
  EXPECT_EQ(server.session.write(1, std::span{answer}.first(kWindow - 1)), kWindow - 1);
  EXPECT_EQ(server.sent(), "data 1 262143 bytes\n");
  EXPECT_EQ(server.session.write(1, std::span{answer}.first(10)), 6u);
  EXPECT_EQ(server.session.write(1, std::span{answer}.first(10)), 0u);
  EXPECT_EQ(server.sent(), "data 1 xxxxxx\n");
  EXPECT_TRUE(server.app.writable.empty());

  ASSERT_FALSE(server.receive(window(1, 0, 3) + window(1, 0, 3)));
  EXPECT_EQ(server.app.writable, std::vector{1u});
  EXPECT_EQ(server.session.write(1, std::span{answer}.first(10)), 6u);
}

TEST(YamuxSession, MayWriteFromInsideOnWritable) {
  Limits limits;
  limits.output_bytes_max = 2 * kWindow;
  Side server{Role::Server, limits};
  const Bytes answer(kWindow + 10, std::byte{'x'});
  std::size_t written = 0;
  server.app.when_writable = [&](std::uint32_t stream) {
    written += server.session.write(stream, std::span{answer}.subspan(written));
    if (written == answer.size()) server.session.finish(stream);
  };
  ASSERT_FALSE(server.receive(window(1, kSyn)));
  server.session.accept(1);
  written = server.session.write(1, answer);
  EXPECT_EQ(written, kWindow);
  ASSERT_FALSE(server.receive(window(1, kFin, 10)));
  EXPECT_EQ(written, answer.size());
  EXPECT_EQ(server.app.finished, std::vector{1u});
  EXPECT_EQ(server.session.stream_count(), 0u);
}

TEST(YamuxSession, WritesNoMoreThanTheOutputHolds) {
  Limits limits;
  limits.output_bytes_max = 100;
  Side server{Role::Server, limits};
  ASSERT_FALSE(server.receive(window(1, kSyn) + window(3, kSyn)));
  server.session.accept(1);
  server.session.accept(3);
  const Bytes answer(1000, std::byte{'x'});
  EXPECT_EQ(server.session.write(1, answer), 100u - 24u);
  EXPECT_EQ(server.session.write(1, answer), 0u);
  EXPECT_EQ(server.session.write(3, answer), 0u);

  server.session.resume(server.app);
  EXPECT_TRUE(server.app.writable.empty()) << "the output is as full as before";
  ASSERT_FALSE(server.receive(window(1, 0, 1)));
  EXPECT_TRUE(server.app.writable.empty()) << "more window is no room";

  server.session.consume_output(server.session.output().size());
  server.app.when_writable = [&](std::uint32_t stream) {
    EXPECT_GT(server.session.write(stream, answer), 0u);
  };
  server.session.resume(server.app);
  EXPECT_EQ(server.app.writable, std::vector{1u}) << "stream 1 has filled it again";
  server.session.consume_output(server.session.output().size());
  server.session.resume(server.app);
  EXPECT_EQ(server.app.writable, (std::vector{1u, 1u}));
}

TEST(YamuxSession, ResetsWhatGoesBeyondTheBacklogAndTheStreamLimit) {
  Limits limits;
  limits.accept_backlog = 2;
  limits.streams_max = 4;
  Side server{Role::Server, limits};
  ASSERT_FALSE(server.receive(window(1, kSyn) + window(3, kSyn) + data(5, "dropped", kSyn)));
  EXPECT_EQ(server.sent(), "window RST 5 0\n");
  server.session.accept(1);
  ASSERT_FALSE(server.receive(window(7, kSyn) + window(9, kSyn)));
  EXPECT_EQ(server.sent(), "window ACK 1 0\nwindow RST 9 0\n");

  ASSERT_FALSE(server.receive(window(3, kRst) + window(11, kSyn)));
  EXPECT_EQ(server.sent(), "") << "a stream that has gone gives its place back";
  server.session.accept(7);
  server.session.accept(11);
  ASSERT_FALSE(server.receive(window(13, kSyn)));
  server.session.accept(13);
  (void)server.sent();
  ASSERT_FALSE(server.receive(window(15, kSyn)));
  EXPECT_EQ(server.sent(), "window RST 15 0\n");
  EXPECT_EQ(server.session.stream_count(), 4u);
  EXPECT_EQ(server.app.opened, (std::vector{1u, 3u, 7u, 11u, 13u}));
}

TEST(YamuxSession, HoldsTheWholeBacklogOfConsul) {
  Side server{Role::Server};
  Bytes wire;
  for (std::uint32_t id = 1; id < 601; id += 2)
    wire = std::move(wire) + window(id, kSyn);
  ASSERT_FALSE(server.receive(wire));
  EXPECT_EQ(server.app.opened.size(), 256u);
  EXPECT_EQ(server.session.output().size(), 44 * kHeaderSize);
}

TEST(YamuxSession, TakesNoStreamsAfterItsOwnGoAway) {
  Side server{Role::Server};
  ASSERT_FALSE(server.receive(window(1, kSyn)));
  server.session.go_away(GoAwayCode::Normal);
  ASSERT_FALSE(server.receive(window(3, kSyn) + data(3, "x") + data(1, "y") + ping(kSyn, 2)));
  EXPECT_EQ(server.sent(), "goaway 0 0\nwindow RST 3 0\nping ACK 0 2\n");
  EXPECT_EQ(server.app.received, (std::map<std::uint32_t, std::size_t>{{1, 1}}));
  EXPECT_EQ(server.session.open().error(), Error::GoingAway);
}

// What the peer opens before it knows is taken, and what it was about to open when it answered.
TEST(YamuxSession, TakesStreamsThatMeetItsFarewell) {
  Side server{Role::Server};
  ASSERT_FALSE(server.receive(ping(kAck, 0))) << "to nobody's ping";
  server.session.say_farewell();
  EXPECT_EQ(server.sent(), "goaway 0 0\nping SYN 0 0\n");
  EXPECT_EQ(server.session.open().error(), Error::GoingAway);
  ASSERT_FALSE(server.receive(window(1, kSyn) + ping(kAck, 7)));
  EXPECT_EQ(server.app.opened.size(), 1u);
  EXPECT_EQ(server.app.farewells_heard, 0u);
  ASSERT_FALSE(server.receive(ping(kAck, 0) + window(3, kSyn) + data(1, "y") + ping(kAck, 0)));
  EXPECT_EQ(server.app.farewells_heard, 1u);
  EXPECT_EQ(server.app.opened.size(), 2u);
  EXPECT_EQ(server.sent(), "");
  EXPECT_EQ(server.app.received, (std::map<std::uint32_t, std::size_t>{{1, 1}}));
  EXPECT_EQ(server.session.open().error(), Error::GoingAway);
}

TEST(YamuxSession, EndsWhenAnswersPileUp) {
  Limits limits;
  limits.output_bytes_max = 10 * kHeaderSize;
  limits.accept_backlog = 0;

  const struct {
    std::string_view name;
    Bytes frame;
  } cases[] = {{"pings", ping(kSyn, 1)}, {"refused streams", window(1, kSyn)}};

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    Side server{Role::Server, limits};
    for (int i = 0; i < 20; ++i)
      ASSERT_FALSE(server.receive(c.frame));
    EXPECT_EQ(server.receive(c.frame), Error::OutputLimit);
  }
}

TEST(YamuxSession, OpensStreamsOfItsOwnParity) {
  Side client{Role::Client};
  Side server{Role::Server};
  EXPECT_EQ(client.session.open().value(), 1u);
  EXPECT_EQ(client.session.open().value(), 3u);
  EXPECT_EQ(server.session.open().value(), 2u);
  EXPECT_EQ(client.sent(), "window SYN 1 0\nwindow SYN 3 0\n");
  ASSERT_FALSE(server.receive(window(4, kSyn)));
  EXPECT_EQ(server.session.open().value(), 6u) << "4 is taken";
}

TEST(YamuxSession, WritesBeforeThePeerHasAccepted) {
  Side client{Role::Client};
  const auto stream = client.session.open().value();
  EXPECT_EQ(client.session.write(stream, bytes("request")), 7u);
  EXPECT_EQ(client.sent(), "window SYN 1 0\ndata 1 request\n");
  ASSERT_FALSE(client.receive(data(1, "answer", kAck)));
  EXPECT_EQ(client.app.received[1], 6u);
}

TEST(YamuxSession, OpensNoMoreThanThePeersBacklogHolds) {
  Limits limits;
  limits.accept_backlog = 2;
  limits.streams_max = 3;
  Side client{Role::Client, limits};
  ASSERT_TRUE(client.session.open());
  ASSERT_TRUE(client.session.open());
  EXPECT_EQ(client.session.open().error(), Error::BacklogFull);
  ASSERT_FALSE(client.receive(window(1, kAck)));
  ASSERT_FALSE(client.receive(window(1, kAck))) << "counts once";
  ASSERT_TRUE(client.session.open());
  EXPECT_EQ(client.session.open().error(), Error::BacklogFull);
  ASSERT_FALSE(client.receive(window(3, kRst)));
  ASSERT_TRUE(client.session.open());
  ASSERT_FALSE(client.receive(window(5, kAck)));
  EXPECT_EQ(client.session.open().error(), Error::StreamLimit);
}

TEST(YamuxSession, OpensNothingAfterThePeersGoAway) {
  Side client{Role::Client};
  ASSERT_TRUE(client.session.open());
  ASSERT_FALSE(client.receive(go_away(0)));
  EXPECT_EQ(client.session.open().error(), Error::GoingAway);
  EXPECT_TRUE(client.session.is_open(1));
}

TEST(YamuxSession, IsSmallWhenIdle) {
  EXPECT_LE(sizeof(Session), 192u);
  Side server{Role::Server};
  ASSERT_FALSE(server.receive(window(1, kSyn)));
  server.session.accept(1);
  server.session.consume_output(server.session.output().size());
  EXPECT_EQ(server.session.take_output().capacity(), 0u);
}

} // namespace
} // namespace switchyard::yamux::test

#include "talk.hpp"

#include <gtest/gtest.h>

namespace switchyard::http2 {
namespace {

using namespace test;

constexpr auto kUnknown = static_cast<FrameType>(0xfa);
constexpr std::uint8_t kBoth = kEndHeaders | kEndStream;

/// As many bytes and frames as a header block may have.
Bytes full_block(std::uint32_t stream) {
  return headers(stream, 0, 16384) + continuation(stream, kEndHeaders, 16384);
}

TEST(Http2Walker, StaysSmall) {
  EXPECT_LE(sizeof(Walker), 256u);
}

TEST(Http2Walker, PassesWhatClientsSay) {
  const struct {
    std::string_view name;
    Bytes bytes;
    std::size_t open_streams = 0;
  } cases[] = {
      {"nothing", {}},
      {"acknowledgement", settings_ack()},
      {"settings", settings({{4, 65535}, {5, 16384}})},
      {"call", call(1), 1},
      {"call without a message", headers(1, kBoth), 1},
      {"several calls", call(1) + call(3) + call(5), 3},
      {"ids left out", call(5) + call(101), 2},
      {"first stream above all", call(kLastStream), 1},
      {"largest frame", headers(1) + data(1, 16384), 1},
      {"header block in two", headers(1, 0) + continuation(1), 1},
      {"longest header block", full_block(1), 1},
      {"two such blocks", full_block(1) + full_block(3), 2},
      {"call without a message, block in two", headers(1, kEndStream) + continuation(1), 1},
      {"trailers", headers(1) + data(1, 20) + headers(1, kBoth), 1},
      {"cancelled call", headers(1) + rst_stream(1), 0},
      {"cancelled twice", headers(1) + 2 * rst_stream(1), 0},
      {"one of two cancelled", call(1) + call(3) + rst_stream(1), 1},
      {"data of a cancelled call", headers(1) + rst_stream(1) + data(1, 20, kEndStream), 0},
      {"window of the connection", window_update(0)},
      {"window of a stream", call(1) + window_update(1), 1},
      {"window of a closed stream", headers(1) + rst_stream(1) + window_update(1), 0},
      {"ping", ping() + ping(kAck)},
      {"priority of an idle stream", priority(7)},
      {"farewell", encode_goaway(0, ErrorCode::NoError, "bye")},
      {"a type nobody knows", frame(kUnknown, 3, 100, 0xff)},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    Talk talk;
    EXPECT_TRUE(
        passed(talk.client(preface() + settings() + c.bytes), preface() + settings() + c.bytes));
    EXPECT_EQ(talk.walker.open_streams(), c.open_streams);
  }
}

TEST(Http2Walker, StopsBeforeWhatNoClientMaySay) {
  const struct {
    std::string_view name;
    Bytes before;
    Bytes frame;
    Error error;
  } cases[] = {
      {"no settings first", {}, ping(), Error::SettingsExpected},
      {"acknowledgement first", {}, settings_ack(), Error::SettingsExpected},
      {"data on stream 0", settings(), data(0, 1), Error::StreamExpected},
      {"data on an idle stream", settings() + call(1), data(3, 1), Error::IdleStream},
      {"data on an even stream", settings() + call(5), data(4, 1), Error::ServerStream},
      {"headers on stream 0", settings(), headers(0), Error::StreamExpected},
      {"headers on an even stream", settings(), headers(2), Error::ServerStream},
      {"priority of stream 0", settings(), priority(0), Error::StreamExpected},
      {"priority of four bytes",
       settings(),
       frame(FrameType::Priority, 1, 4),
       Error::FrameLengthWrong},
      {"reset of stream 0", settings(), rst_stream(0), Error::StreamExpected},
      {"reset of an idle stream", settings(), rst_stream(1), Error::IdleStream},
      {"reset of five bytes",
       settings() + call(1),
       frame(FrameType::RstStream, 1, 5),
       Error::FrameLengthWrong},
      {"settings of a stream",
       settings(),
       frame(FrameType::Settings, 1, 0),
       Error::ConnectionExpected},
      {"half a setting", settings(), frame(FrameType::Settings, 0, 9), Error::FrameLengthWrong},
      {"acknowledgement with settings",
       settings(),
       frame(FrameType::Settings, 0, 6, kAck),
       Error::FrameLengthWrong},
      {"push", settings() + call(1), frame(FrameType::PushPromise, 1, 20), Error::PushByClient},
      {"ping of a stream", settings(), frame(FrameType::Ping, 1, 8), Error::ConnectionExpected},
      {"ping of seven bytes", settings(), frame(FrameType::Ping, 0, 7), Error::FrameLengthWrong},
      {"farewell of a stream",
       settings(),
       frame(FrameType::GoAway, 1, 8),
       Error::ConnectionExpected},
      {"farewell too short", settings(), frame(FrameType::GoAway, 0, 7), Error::FrameLengthWrong},
      {"window of an idle stream", settings(), window_update(1), Error::IdleStream},
      {"window of five bytes",
       settings(),
       frame(FrameType::WindowUpdate, 0, 5),
       Error::FrameLengthWrong},
      {"continuation of nothing", settings(), continuation(1), Error::UnexpectedContinuation},
      {"continuation of a whole block",
       settings() + headers(1),
       continuation(1),
       Error::UnexpectedContinuation},
      {"continuation of another stream",
       settings() + headers(1, 0),
       continuation(3),
       Error::ContinuationExpected},
      {"ping in a block", settings() + headers(1, 0), ping(), Error::ContinuationExpected},
      {"unknown frame in a block",
       settings() + headers(1, 0) + continuation(1, 0),
       frame(kUnknown, 1, 0),
       Error::ContinuationExpected},
      {"frame too long", settings() + headers(1), data(1, 16385), Error::FrameTooLong},
      {"unknown frame too long", settings(), frame(kUnknown, 0, 16385), Error::FrameTooLong},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const auto before = preface() + c.before;
    const auto passage = Talk{}.client(before + c.frame + ping());
    EXPECT_EQ(passage.error, c.error);
    EXPECT_EQ(passage.pass, before.size());
  }
}

TEST(Http2Walker, RefusesAnotherProtocolAtItsFirstDifference) {
  const struct {
    std::string_view name;
    std::string_view opening;
    std::optional<Error> error;
  } cases[] = {
      {"part of the preface", "PRI * HTTP", {}},
      {"all but the last byte", kPreface.substr(0, kPreface.size() - 1), {}},
      {"older version", "GET / HTTP/1.1\r\n", Error::BadPreface},
      {"one wrong byte", "PRI * HTTP/2.1", Error::BadPreface},
      {"wrong at the end", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r", Error::BadPreface},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const auto bytes = std::as_bytes(std::span{c.opening});
    const auto passage = Talk{}.client({bytes.begin(), bytes.end()});
    EXPECT_EQ(passage.error, c.error);
    EXPECT_EQ(passage.pass, 0u);
  }
}

TEST(Http2Walker, HoldsBackWhatItCannotJudge) {
  const auto greeting = preface() + settings();
  const auto farewell = encode_goaway(0, ErrorCode::EnhanceYourCalm, "bye");

  const struct {
    std::string_view name;
    Bytes frame;
    std::size_t first; ///< bytes that come at first
    std::size_t held;
  } cases[] = {
      {"one byte of a header", ping(), 1, 1},
      {"all but one", ping(), 8, 8},
      {"header", ping(), 9, 0},
      {"header and payload", ping(), 12, 0},
      {"header of a farewell", farewell, 9, 9},
      {"farewell with half a code", farewell, 15, 15},
      {"farewell with its code", farewell, 17, 0},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    Talk talk;
    const auto split = c.frame.begin() + static_cast<std::ptrdiff_t>(c.first);
    const auto before = greeting + Bytes{c.frame.begin(), split};
    const auto passage = talk.client(before);
    EXPECT_FALSE(passage.error);
    EXPECT_EQ(passage.pass, before.size() - c.held);
    const auto after = Bytes{split - static_cast<std::ptrdiff_t>(c.held), c.frame.end()};
    EXPECT_TRUE(passed(talk.client(after), after));
  }
}

TEST(Http2Walker, SeesWhoHasGoneAwayAndWhy) {
  Talk talk;
  talk.greet();
  EXPECT_FALSE(talk.walker.gone_away(Side::Client));
  EXPECT_FALSE(talk.walker.gone_away(Side::Server));
  (void)talk.client(encode_goaway(0, ErrorCode::NoError, "bye"));
  (void)talk.server(encode_goaway(1, ErrorCode::EnhanceYourCalm, "too_many_pings"));
  EXPECT_EQ(talk.walker.gone_away(Side::Client), ErrorCode::NoError);
  EXPECT_EQ(talk.walker.gone_away(Side::Server), ErrorCode::EnhanceYourCalm);
}

TEST(Http2Walker, PassesPayloadAsItComes) {
  Talk talk;
  talk.greet();
  const auto message = headers(1) + data(1, 10000);
  const Bytes first{message.begin(), message.begin() + 100};
  const Bytes second{message.begin() + 100, message.end()};
  EXPECT_TRUE(passed(talk.client(first), first));
  EXPECT_TRUE(passed(talk.client(second), second));
  EXPECT_TRUE(passed(talk.client(ping()), ping()));
}

TEST(Http2Walker, AllowsTheLargestFrameTheServerEverAdvertised) {
  Talk talk;
  talk.greet(settings({{5, 32768}}));
  EXPECT_TRUE(passed(talk.server(settings({{5, 16384}})), settings({{5, 16384}})));
  EXPECT_TRUE(passed(talk.client(headers(1) + data(1, 32768)), headers(1) + data(1, 32768)));
  EXPECT_EQ(talk.client(data(1, 32769)).error, Error::FrameTooLong);
}

TEST(Http2Walker, ReadsSettingsInPieces) {
  Talk talk;
  const auto bytes = settings({{3, 2}, {5, 20000}, {6, 8192}});
  Bytes held;
  for (const auto byte : bytes) {
    held.push_back(byte);
    const auto passage = talk.server(held);
    ASSERT_FALSE(passage.error);
    held.erase(held.begin(), held.begin() + static_cast<std::ptrdiff_t>(passage.pass));
    ASSERT_LE(held.size(), kHeaderSize - 1);
  }
  EXPECT_TRUE(held.empty());
  EXPECT_EQ(
      talk.client(preface() + settings() + headers(1) + data(1, 20001)).error, Error::FrameTooLong);
}

TEST(Http2Walker, CountsStreamsAsTheClientDoes) {
  const auto calls = call(1) + call(3);

  const struct {
    std::string_view name;
    Bytes client;
    Bytes server;
    std::size_t open_streams;
  } cases[] = {
      {"unanswered", calls, {}, 2},
      {"answered in part", calls, headers(1) + data(1, 100), 2},
      {"answered", calls, answer(1), 1},
      {"answered with trailers only", calls, headers(3, kBoth), 1},
      {"answered with data to the end", calls, data(1, 10, kEndStream), 1},
      {"trailers in two", calls, headers(1, kEndStream) + continuation(1), 1},
      {"both", calls, answer(3) + answer(1), 0},
      {"ended twice", calls, 2 * answer(1), 1},
      {"reset", calls, rst_stream(1), 1},
      {"answered before the client ended", headers(1), answer(1), 1},
      {"answered and reset", headers(1), answer(1) + rst_stream(1), 0},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    Talk talk;
    talk.greet();
    EXPECT_TRUE(passed(talk.client(c.client), c.client));
    EXPECT_TRUE(passed(talk.server(c.server), c.server));
    EXPECT_EQ(talk.walker.open_streams(), c.open_streams);
  }
}

TEST(Http2Walker, KnowsTheLastStream) {
  Talk talk;
  talk.greet();
  EXPECT_EQ(talk.walker.last_stream(), 0u);
  (void)talk.client(call(1) + call(9) + rst_stream(9));
  EXPECT_EQ(talk.walker.last_stream(), 9u);
}

} // namespace
} // namespace switchyard::http2

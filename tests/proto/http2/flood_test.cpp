#include "talk.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace switchyard::http2 {
namespace {

using namespace test;

constexpr std::uint8_t kBoth = kEndHeaders | kEndStream;

/// Says `bytes(i)` for i from 0 on until it is stopped, at most `count` times. How often it was
/// heard.
std::size_t
say(Talk& talk,
    std::size_t count,
    std::optional<Error> error,
    const std::function<Bytes(std::uint32_t)>& bytes) {
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto passage = talk.client(bytes(i));
    if (!passage.error) continue;
    EXPECT_EQ(passage.error, error);
    return i;
  }
  return count;
}

TEST(Http2Flood, IsStoppedWhereTheLimitIs) {
  const Limits limits;
  const auto overhead = limits.overhead.burst - 1; // the client's first SETTINGS took one

  const auto resets = limits.resets.burst;
  const auto open = headers(1);

  const struct {
    std::string_view name;
    Bytes before;
    std::size_t heard;
    Error error;
    std::function<Bytes(std::uint32_t)> bytes;
  } cases[] = {
      {"rapid reset",
       {},
       resets,
       Error::ResetFlood,
       [](auto i) { return headers(2 * i + 1, kBoth) + rst_stream(2 * i + 1); }},
      {"resets of one stream", open, resets, Error::ResetFlood, [](auto) { return rst_stream(1); }},
      {"ends of an ended stream",
       open + data(1, 1, kEndStream),
       resets,
       Error::ClosedStreamFlood,
       [](auto) { return data(1, 0, kEndStream); }},
      {"trailers of an ended stream",
       headers(1, kBoth),
       resets,
       Error::ClosedStreamFlood,
       [](auto) { return headers(1, kBoth); }},
      {"trailers that end nothing",
       open,
       resets,
       Error::ClosedStreamFlood,
       [](auto) { return headers(1); }},
      {"pings", {}, limits.pings.burst, Error::PingFlood, [](auto) { return ping(); }},
      {"answers to no ping", {}, overhead, Error::PingFlood, [](auto) { return ping(kAck); }},
      {"windows",
       open,
       limits.window_updates.burst,
       Error::WindowUpdateFlood,
       [](auto i) { return window_update(i % 2); }},
      {"settings", {}, overhead, Error::SettingsFlood, [](auto) { return settings(); }},
      {"long settings",
       {},
       overhead,
       Error::SettingsFlood,
       [](auto) { return frame(FrameType::Settings, 0, 16380); }},
      {"acknowledgements", {}, overhead, Error::SettingsFlood, [](auto) { return settings_ack(); }},
      {"priorities", {}, overhead, Error::PriorityFlood, [](auto) { return priority(1); }},
      {"farewells",
       {},
       overhead,
       Error::GoAwayFlood,
       [](auto) { return encode_goaway(0, ErrorCode::NoError); }},
      {"unknown frames",
       {},
       overhead,
       Error::UnknownFrameFlood,
       [](auto) { return frame(static_cast<FrameType>(16), 0, 1); }},
      {"empty data", open, overhead, Error::EmptyFrameFlood, [](auto) { return data(1, 0); }},
      {"empty header blocks",
       {},
       overhead,
       Error::EmptyFrameFlood,
       [](auto i) { return headers(2 * i + 1, kBoth, 0); }},
      {"continuations",
       headers(1, 0),
       limits.continuations_max,
       Error::TooManyContinuations,
       [](auto) { return continuation(1, 0); }},
      {"long header block",
       headers(1, 0, 16385),
       0,
       Error::HeaderBlockTooLong,
       [](auto) { return continuation(1, 0, 16384); }},
      {"streams",
       {},
       limits.streams_max,
       Error::TooManyStreams,
       [](auto i) { return call(2 * i + 1); }},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    Talk talk;
    talk.greet(settings({{5, 65536}}));
    ASSERT_TRUE(passed(talk.client(c.before), c.before));
    EXPECT_EQ(say(talk, 2 * c.heard + 1, c.error, c.bytes), c.heard);
  }
}

TEST(Http2Flood, IsHeardAgainAfterItsTime) {
  Talk talk;
  talk.greet();
  EXPECT_EQ(say(talk, 100, {}, [](auto) { return ping(); }), 100u);
  talk.now += 1s;
  EXPECT_EQ(say(talk, 100, Error::PingFlood, [](auto) { return ping(); }), 10u);
}

// The server's settings bind the client from when it acknowledges them.
TEST(Http2Flood, OfStreamsIsStoppedAtWhatTheServerAdvertised) {
  const auto call_of = [](std::uint32_t i) { return call(2 * i + 1); };
  Talk acknowledged;
  acknowledged.greet(settings({{3, 10}}));
  EXPECT_EQ(say(acknowledged, 100, Error::TooManyStreams, call_of), 10u);

  Talk lowered;
  lowered.greet(settings({{3, 10}}) + settings({{3, 5}}));
  EXPECT_EQ(say(lowered, 100, Error::TooManyStreams, call_of), 10u);

  Talk early;
  (void)early.client(preface() + settings());
  (void)early.server(settings({{3, 10}}));
  EXPECT_EQ(say(early, 50, {}, call_of), 50u);
  EXPECT_TRUE(passed(early.client(settings_ack()), settings_ack()));
  EXPECT_EQ(early.client(call(101)).error, Error::TooManyStreams);
}

TEST(Http2Flood, OfHeadersIsStoppedWhenSettingsGoUnacknowledged) {
  const auto block = [](std::uint32_t i) { return headers(2 * i + 1, kBoth, 1024); };
  Talk silent;
  (void)silent.client(preface() + settings());
  (void)silent.server(settings());
  EXPECT_EQ(say(silent, 1000, Error::SettingsUnacknowledged, block), 128u);

  // An acknowledgement of settings that were not sent yet is none.
  Talk hasty;
  (void)hasty.client(preface() + settings() + settings_ack());
  (void)hasty.server(settings());
  EXPECT_EQ(say(hasty, 1000, Error::SettingsUnacknowledged, block), 128u);

  Talk honest;
  honest.greet();
  EXPECT_EQ(say(honest, 1000, {}, block), 1000u);
}

// A client can make the server reset streams, with frames that break them alone.
TEST(Http2Flood, OfResetsByTheServerIsTheClientsDoing) {
  Talk talk;
  talk.greet();
  std::uint32_t i = 0;
  for (; i < 10000; ++i) {
    (void)talk.client(call(2 * i + 1));
    const auto passage = talk.server(rst_stream(2 * i + 1));
    if (passage.error) {
      EXPECT_EQ(passage.error, Error::ResetFlood);
      EXPECT_EQ(passage.pass, 0u);
      break;
    }
  }
  EXPECT_EQ(i, Limits{}.resets.burst);
}

TEST(Http2Flood, OfResetsByTheServerAfterItsAnswerIsNone) {
  Talk talk;
  talk.greet();
  for (std::uint32_t i = 0; i < 10000; ++i) {
    (void)talk.client(headers(2 * i + 1));
    const auto reply = answer(2 * i + 1) + rst_stream(2 * i + 1);
    ASSERT_TRUE(passed(talk.server(reply), reply));
  }
  EXPECT_EQ(talk.walker.open_streams(), 0u);
}

/// What an honest client says in one round, and what the server has answered it with.
struct Round {
  std::string_view name;
  std::size_t rounds;
  std::chrono::nanoseconds pause; ///< between two of them
  std::function<Bytes(std::uint32_t)> client;
  std::function<Bytes(std::uint32_t)> server;
  std::function<Bytes(std::uint32_t)> client_then = [](auto) { return Bytes{}; };
};

TEST(Http2Flood, IsNotWhatHonestClientsDo) {
  const auto id = [](std::uint32_t i) { return 2 * i + 1; };
  const auto nothing = [](std::uint32_t) { return Bytes{}; };
  const Round rounds[] = {
      {"calls, as fast as they go",
       20000,
       1us,
       [&](auto i) { return call(id(i)); },
       [&](auto i) { return answer(id(i)); }},
      {"a ping for every message received",
       20000,
       1us,
       [&](auto i) { return call(id(i)) + ping(); },
       [&](auto i) { return answer(id(i)) + ping(kAck); }},
      {"windows for every message received",
       20000,
       1us,
       [&](auto i) { return call(id(i)) + 3 * window_update(0) + 3 * window_update(id(i)); },
       [&](auto i) { return answer(id(i)); }},
      {"windows for every 8 KiB of an 8 MiB message",
       20,
       1ms,
       [&](auto i) { return call(id(i)) + 1024 * (window_update(0) + window_update(id(i))); },
       [&](auto i) { return headers(id(i)) + data(id(i), 8 << 20) + headers(id(i), kBoth); }},
      {"every call runs into its deadline, 500 a second",
       20000,
       2ms,
       [&](auto i) { return call(id(i)) + rst_stream(id(i)); },
       nothing},
      {"every second call is cancelled, as fast as they go",
       20000,
       1us,
       [&](auto i) { return call(id(i)) + (i % 2 == 0 ? Bytes{} : rst_stream(id(i))); },
       [&](auto i) { return i % 2 == 0 ? answer(id(i)) : Bytes{}; }},
      {"every call is cancelled as its answer comes",
       20000,
       1us,
       [&](auto i) { return call(id(i)); },
       [&](auto i) { return answer(id(i)); },
       [&](auto i) { return rst_stream(id(i)); }},
      {"every call is refused before it was ended",
       20000,
       1us,
       [&](auto i) { return headers(id(i)); },
       [&](auto i) { return headers(id(i), kBoth) + rst_stream(id(i)); },
       [&](auto i) { return data(id(i), 100, kEndStream); }},
      {"2000 calls dropped at once, every five seconds",
       10,
       5s,
       [&](auto i) {
         Bytes bytes;
         for (std::uint32_t k = 0; k < 2000; ++k)
           bytes = std::move(bytes) + headers(id(2000 * i + k), kBoth);
         for (std::uint32_t k = 0; k < 2000; ++k)
           bytes = std::move(bytes) + rst_stream(id(2000 * i + k));
         return bytes;
       },
       nothing},
      {"windows for 2048 calls that wait for the server",
       2048,
       0s,
       [&](auto i) { return call(id(i)) + 4 * window_update(id(i)); },
       nothing},
      {"keepalive without a call",
       1000,
       10s,
       [](auto) { return ping(); },
       [](auto) { return ping(kAck); }},
      {"the server measures, the client answers",
       20000,
       1us,
       [](auto i) { return i == 0 ? Bytes{} : ping(kAck); },
       [](auto) { return ping(); }},
      {"the server changes its windows, the client agrees",
       20000,
       1us,
       [](auto i) { return i == 0 ? Bytes{} : settings_ack(); },
       [](auto i) {
         return settings({{4, i}});
       }},
      {"a message in small pieces",
       20000,
       1us,
       [](auto i) { return i == 0 ? headers(1) : data(1, 1); },
       nothing},
      {"messages against a slow server, 500 at once",
       40,
       1ms,
       [&](auto i) {
         Bytes bytes;
         for (std::uint32_t k = 0; k < 500; ++k)
           bytes = std::move(bytes) + call(id(500 * i + k));
         return bytes;
       },
       [&](auto i) {
         Bytes bytes;
         for (std::uint32_t k = 500; k > 0; --k)
           bytes = std::move(bytes) + answer(id(500 * i + k - 1));
         return bytes;
       }},
  };

  for (const auto& c : rounds) {
    SCOPED_TRACE(c.name);
    Talk talk;
    talk.greet(settings({{3, 2048}}));
    for (std::uint32_t i = 0; i < c.rounds; ++i) {
      talk.now += c.pause;
      const auto said = c.client(i);
      ASSERT_TRUE(passed(talk.client(said), said)) << "round " << i;
      const auto answered = c.server(i);
      ASSERT_TRUE(passed(talk.server(answered), answered)) << "round " << i;
      const auto then = c.client_then(i);
      ASSERT_TRUE(passed(talk.client(then), then)) << "round " << i;
    }
  }
}

} // namespace
} // namespace switchyard::http2

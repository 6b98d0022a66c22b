#include "talk.hpp"

#include <gtest/gtest.h>

namespace switchyard::http2 {
namespace {

using namespace test;

Bytes part(const Bytes& bytes, std::size_t count) {
  return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count)};
}

TEST(Http2Insertion, HasAPlaceBetweenTheServersFrames) {
  const auto opening = settings({{3, 100}});
  const auto reply = answer(1);

  const struct {
    std::string_view name;
    Bytes bytes;
    std::optional<std::size_t> place;
    bool after; ///< a frame may follow what was passed on
  } cases[] = {
      {"before anything", {}, {}, false},
      {"in the first header", part(opening, 8), {}, false},
      {"in the first settings", part(opening, 12), {}, false},
      {"after the first settings", opening, opening.size(), true},
      {"after settings with a remainder", frame(FrameType::Settings, 0, 9), 18, true},
      {"before half a header", opening + part(ping(), 5), opening.size(), true},
      {"before half a payload", opening + part(ping(), 12), opening.size(), false},
      {"after an answer", opening + reply, (opening + reply).size(), true},
      {"before half a message", opening + part(reply, 40), (opening + headers(1)).size(), false},
      {"before a header block", opening + headers(1, 0), opening.size(), false},
      {"not within a header block",
       opening + headers(1, 0) + continuation(1, 0),
       opening.size(),
       false},
      {"after a header block",
       opening + headers(1, 0) + continuation(1),
       (opening + headers(1, 0) + continuation(1)).size(),
       true},
      {"after a farewell",
       opening + encode_goaway(1, ErrorCode::NoError),
       (opening + encode_goaway(1, ErrorCode::NoError)).size(),
       true},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    Talk talk;
    EXPECT_EQ(talk.server(c.bytes).insert_at, c.place);
    EXPECT_EQ(talk.walker.may_insert(), c.after);
  }
}

TEST(Http2Insertion, HasNoPlaceBeforeTheServersSettings) {
  Talk talk;
  EXPECT_EQ(talk.server(ping()).insert_at, std::nullopt);
  EXPECT_FALSE(talk.walker.may_insert());
}

TEST(Http2Insertion, FindsThePlaceAfterALongMessage) {
  Talk talk;
  talk.greet();
  const auto message = data(1, 1 << 20);
  const auto head = part(message, 1000);
  EXPECT_EQ(talk.server(head).insert_at, 0u);
  const Bytes tail{message.begin() + 1000, message.end()};
  EXPECT_EQ(talk.server(tail + part(headers(1), 15)).insert_at, tail.size());
}

TEST(Http2Insertion, IsNothingForTheClientsBytes) {
  EXPECT_EQ(Talk{}.client(preface() + settings() + call(1)).insert_at, std::nullopt);
}

TEST(Http2Insertion, HasAPlaceForWhyAConnectionEnds) {
  Talk talk;
  talk.greet();
  (void)talk.client(call(1));
  const auto message = data(1, 1000);
  (void)talk.server(part(message, 500));
  EXPECT_EQ(talk.client(data(2, 1)).error, Error::ServerStream);
  EXPECT_FALSE(talk.walker.may_insert());
  const Bytes tail{message.begin() + 500, message.end()};
  EXPECT_EQ(talk.server(tail).insert_at, tail.size());
  EXPECT_TRUE(talk.walker.may_insert());
}

// What a client does that has not yet seen our GOAWAY, and then has.
TEST(Http2Insertion, LetsAClientOpenStreamsUntilItLeaves) {
  Talk talk;
  talk.greet();
  (void)talk.client(call(1));
  ASSERT_TRUE(talk.walker.may_insert());
  EXPECT_TRUE(passed(talk.client(call(3)), call(3)));
  EXPECT_TRUE(passed(talk.server(answer(1)), answer(1)));
  EXPECT_EQ(talk.walker.open_streams(), 1u);
  EXPECT_TRUE(passed(talk.server(answer(3)), answer(3)));
  EXPECT_EQ(talk.walker.open_streams(), 0u);
  EXPECT_EQ(talk.walker.last_stream(), 3u);
}

} // namespace
} // namespace switchyard::http2

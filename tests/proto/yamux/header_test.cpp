#include "frames.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace switchyard::yamux {
namespace {

using Wire = std::array<std::uint8_t, kHeaderSize>;

boost::system::result<Header> decode(const Wire& wire) {
  return decode_header(std::as_bytes(std::span{wire}).first<kHeaderSize>());
}

TEST(YamuxHeader, ReadsAndWritesWhatTheSpecDefines) {
  using test::flags;

  const struct {
    std::string_view name;
    Wire wire;
    Header header;
  } cases[] = {
      {"open", {0, 1, 0, 1, 0, 0, 0, 1}, {FrameType::WindowUpdate, flags({Flag::Syn}), 1, 0}},
      {"accept", {0, 1, 0, 2, 0, 0, 0, 1}, {FrameType::WindowUpdate, flags({Flag::Ack}), 1, 0}},
      {"payload of 33 bytes", {0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 33}, {FrameType::Data, 0, 1, 33}},
      {"finish", {0, 1, 0, 4, 0, 0, 0, 3}, {FrameType::WindowUpdate, flags({Flag::Fin}), 3, 0}},
      {"reset", {0, 1, 0, 8, 0, 0, 0, 3}, {FrameType::WindowUpdate, flags({Flag::Rst}), 3, 0}},
      {"a whole window",
       {0, 1, 0, 0, 0, 0, 0, 1, 0, 4, 0, 0},
       {FrameType::WindowUpdate, 0, 1, 262144}},
      {"ping",
       {0, 2, 0, 1, 0, 0, 0, 0, 0xde, 0xad, 0xbe, 0xef},
       {FrameType::Ping, flags({Flag::Syn}), 0, 0xdeadbeef}},
      {"goaway, protocol error",
       {0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
       {FrameType::GoAway, 0, 0, 1}},
      {"several flags",
       {0, 0, 0, 7, 0, 0, 0, 2},
       {FrameType::Data, flags({Flag::Syn, Flag::Ack, Flag::Fin}), 2, 0}},
      {"an undefined flag stays", {0, 0, 0x80, 0, 0, 0, 0, 1}, {FrameType::Data, 0x8000, 1, 0}},
      {"greatest values",
       {0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
       {FrameType::WindowUpdate, 0xffff, 0xffffffff, 0xffffffff}},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const auto header = decode(c.wire);
    ASSERT_TRUE(header);
    EXPECT_EQ(*header, c.header);
    const auto wire = std::as_bytes(std::span{c.wire});
    EXPECT_TRUE(std::ranges::equal(encode_header(c.header), wire));
  }
}

TEST(YamuxHeader, RejectsWhatTheSpecDoesNotDefine) {
  const struct {
    std::string_view name;
    Wire wire;
    Error error;
  } cases[] = {
      {"version 1", {1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}, Error::UnknownVersion},
      {"version 255", {255, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}, Error::UnknownVersion},
      {"type 4", {0, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}, Error::UnknownType},
      {"type 255", {0, 255, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}, Error::UnknownType},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(decode(c.wire).error(), c.error);
  }
}

TEST(YamuxHeader, KnowsItsFlags) {
  const Header header{.flags = test::flags({Flag::Syn, Flag::Rst})};
  EXPECT_TRUE(header.has(Flag::Syn));
  EXPECT_FALSE(header.has(Flag::Ack));
  EXPECT_FALSE(header.has(Flag::Fin));
  EXPECT_TRUE(header.has(Flag::Rst));
}

TEST(YamuxError, SaysSomethingOfItsOwnForEveryValue) {
  std::vector<std::string> texts;
  for (int value = 1; value <= static_cast<int>(Error::IdsExhausted); ++value) {
    texts.push_back(make_error_code(static_cast<Error>(value)).message());
    EXPECT_NE(texts.back(), "unknown yamux error");
  }
  std::ranges::sort(texts);
  EXPECT_EQ(std::ranges::adjacent_find(texts), texts.end());
}

} // namespace
} // namespace switchyard::yamux

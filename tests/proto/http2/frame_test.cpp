#include "frames.hpp"

#include <proto/http2/error.hpp>

#include <gtest/gtest.h>
#include <tests/proto/wire.hpp>

#include <algorithm>

namespace switchyard::http2 {
namespace {

using switchyard::test::hex;
using switchyard::test::wire;

TEST(Http2Header, ReadsAndWritesWhatTheRfcDefines) {
  const struct {
    std::string_view name;
    std::string_view wire;
    Header header;
  } cases[] = {
      {"settings", "000000 04 00 00000000", {0, FrameType::Settings, 0, 0}},
      {"acknowledgement", "000000 04 01 00000000", {0, FrameType::Settings, 1, 0}},
      {"end of a stream", "000100 00 01 00000003", {256, FrameType::Data, 1, 3}},
      {"headers", "00002a 01 04 00000001", {42, FrameType::Headers, 4, 1}},
      {"ping", "000008 06 00 00000000", {8, FrameType::Ping, 0, 0}},
      {"undefined type", "000001 fa 00 00000005", {1, static_cast<FrameType>(0xfa), 0, 5}},
      {"greatest values",
       "ffffff ff ff 7fffffff",
       {0xffffff, static_cast<FrameType>(0xff), 0xff, kLastStream}},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const auto bytes = wire(c.wire);
    ASSERT_EQ(bytes.size(), kHeaderSize);
    EXPECT_EQ(decode_header(std::span{bytes}.first<kHeaderSize>()), c.header);
    EXPECT_EQ(hex(encode_header(c.header)), hex(bytes));
  }
}

TEST(Http2Header, LeavesTheReservedBitOut) {
  const auto bytes = wire("000000 00 00 80000001");
  EXPECT_EQ(decode_header(std::span{bytes}.first<kHeaderSize>()).stream, 1u);
}

TEST(Http2Header, KnowsItsFlags) {
  const Header header{.flags = 0x5};
  EXPECT_TRUE(header.has(Flag::EndStream));
  EXPECT_TRUE(header.has(Flag::EndHeaders));
  EXPECT_FALSE(Header{.flags = 0xfa}.has(Flag::EndHeaders));
}

TEST(Http2GoAway, NamesTheLastStreamTheCodeAndWhy) {
  EXPECT_EQ(
      hex(encode_goaway(kLastStream, ErrorCode::NoError)),
      hex(wire("000008 07 00 00000000 7fffffff 00000000")));
  EXPECT_EQ(
      hex(encode_goaway(5, ErrorCode::EnhanceYourCalm, "calm")),
      hex(wire("00000c 07 00 00000000 00000005 0000000b 'calm'")));
}

TEST(Http2GoAway, CutsALongExplanation) {
  const auto frame = encode_goaway(1, ErrorCode::ProtocolError, std::string(1000, 'x'));
  EXPECT_EQ(frame.size(), kHeaderSize + 8 + 256);
  EXPECT_EQ(decode_header(std::span{frame}.first<kHeaderSize>()).length, 8u + 256);
}

TEST(Http2Error, SaysSomethingOfItsOwnForEveryValue) {
  std::vector<std::string> texts;
  for (int value = 1; value <= static_cast<int>(Error::FrameLengthWrong); ++value) {
    texts.push_back(make_error_code(static_cast<Error>(value)).message());
    EXPECT_NE(texts.back(), "unknown HTTP/2 error");
  }
  std::ranges::sort(texts);
  EXPECT_EQ(std::ranges::adjacent_find(texts), texts.end());
}

TEST(Http2Error, HasACodeForTheClient) {
  const struct {
    Error error;
    ErrorCode code;
  } cases[] = {
      {Error::ResetFlood, ErrorCode::EnhanceYourCalm},
      {Error::TooManyStreams, ErrorCode::EnhanceYourCalm},
      {Error::SettingsUnacknowledged, ErrorCode::SettingsTimeout},
      {Error::BadPreface, ErrorCode::ProtocolError},
      {Error::PushByClient, ErrorCode::ProtocolError},
      {Error::FrameTooLong, ErrorCode::FrameSizeError},
      {Error::FrameLengthWrong, ErrorCode::FrameSizeError},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(make_error_code(c.error).message());
    EXPECT_EQ(goaway_code(c.error), c.code);
  }
}

} // namespace
} // namespace switchyard::http2

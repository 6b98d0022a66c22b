#include "frames.hpp"

#include <proto/yamux/output.hpp>

#include <gtest/gtest.h>

namespace switchyard::yamux::test {
namespace {

TEST(YamuxOutput, PutsWritesThatFollowEachOtherIntoOneFrame) {
  Output output;
  output.append_data(1, bytes("ab"));
  output.append_data(1, bytes("cd"));
  EXPECT_EQ(describe(output.bytes()), "data 1 abcd\n");
}

TEST(YamuxOutput, KeepsTheOrderOfStreamsAndOtherFrames) {
  Output output;
  output.append_data(1, bytes("a"));
  output.append_data(3, bytes("b"));
  output.append_data(1, bytes("c"));
  output.append({.type = FrameType::WindowUpdate, .flags = 4, .stream_id = 1, .length = 0});
  output.append_data(1, bytes("d"));
  EXPECT_EQ(describe(output.bytes()), "data 1 a\ndata 3 b\ndata 1 c\nwindow FIN 1 0\ndata 1 d\n");
}

TEST(YamuxOutput, NeverTouchesAFrameThatHasBegunToLeave) {
  Output output;
  output.append_data(1, bytes("abcd"));
  const auto sent = Bytes{output.bytes().begin(), output.bytes().begin() + 1};
  output.consume(1);
  output.append_data(1, bytes("ef"));
  const auto rest = Bytes{output.bytes().begin(), output.bytes().end()};
  EXPECT_EQ(describe(sent + rest), "data 1 abcd\ndata 1 ef\n");
}

TEST(YamuxOutput, LengthensAFrameBehindOneThatHasLeft) {
  Output output;
  output.append({.type = FrameType::Ping, .flags = 2, .stream_id = 0, .length = 7});
  output.append_data(1, bytes("ab"));
  output.consume(kHeaderSize);
  output.append_data(1, bytes("cd"));
  EXPECT_EQ(describe(output.bytes()), "data 1 abcd\n");
}

TEST(YamuxOutput, GivesAwayOnlyWhatHasNotLeft) {
  Output output;
  output.append_data(1, bytes("abcd"));
  output.append_data(3, bytes("ef"));
  output.consume(kHeaderSize + 4);
  EXPECT_EQ(describe(output.take()), "data 3 ef\n");
  EXPECT_EQ(output.size(), 0u);
  output.append_data(3, bytes("gh"));
  EXPECT_EQ(describe(output.bytes()), "data 3 gh\n");
}

} // namespace
} // namespace switchyard::yamux::test

#include "echo.hpp"

#include <gtest/gtest.h>

namespace switchyard::yamux::test {
namespace {

using namespace std::chrono_literals;

struct Kept {
  Limits limits;
  Session session{Role::Server, limits, 100s};
  Echo echo{session};

  void hear(const Bytes& wire) { ASSERT_TRUE(session.receive(wire, echo)); }

  std::string sent() { return describe(session.take_output()); }
};

TEST(YamuxKeepAlive, PingsAfterSilenceAndCountsItsPings) {
  Kept kept;
  EXPECT_EQ(kept.session.deadline(), 130s);
  EXPECT_TRUE(kept.session.advance(129s));
  EXPECT_EQ(kept.sent(), "");
  EXPECT_TRUE(kept.session.advance(130s));
  EXPECT_EQ(kept.sent(), "ping SYN 0 0\n");
  EXPECT_EQ(kept.session.deadline(), 140s);

  kept.hear(ping(flags({Flag::Ack}), 0));
  EXPECT_TRUE(kept.session.advance(140s));
  EXPECT_EQ(kept.session.deadline(), 170s);
  EXPECT_TRUE(kept.session.advance(170s));
  EXPECT_EQ(kept.sent(), "ping SYN 0 1\n");
}

TEST(YamuxKeepAlive, EndsTheSessionWhenNothingComes) {
  Kept kept;
  ASSERT_TRUE(kept.session.advance(130s));
  EXPECT_TRUE(kept.session.advance(139s));
  EXPECT_EQ(kept.session.advance(140s).error(), Error::KeepAliveTimeout);
}

TEST(YamuxKeepAlive, TakesAnythingForASignOfLife) {
  Kept kept;
  ASSERT_TRUE(kept.session.advance(130s));
  kept.hear(Bytes(1)); // not even a whole header
  EXPECT_TRUE(kept.session.advance(140s));
  EXPECT_EQ(kept.session.deadline(), 170s);
}

TEST(YamuxKeepAlive, LeavesAPeerAloneThatTalks) {
  Kept kept;
  kept.hear(window(1, flags({Flag::Syn})));
  (void)kept.sent();
  EXPECT_TRUE(kept.session.advance(130s));
  EXPECT_EQ(kept.sent(), "");
  EXPECT_EQ(kept.session.deadline(), 160s);
  EXPECT_TRUE(kept.session.advance(160s));
  EXPECT_EQ(kept.sent(), "ping SYN 0 0\n");
}

} // namespace
} // namespace switchyard::yamux::test

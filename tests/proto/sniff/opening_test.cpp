#include <proto/sniff/opening.hpp>

#include <gtest/gtest.h>
#include <tests/proto/wire.hpp>

namespace switchyard::sniff {
namespace {

using test::wire;

TEST(Opening, IsToldByTheFirstByteAlone) {
  EXPECT_EQ(classify({}), std::nullopt);
  for (unsigned first = 0; first <= 0xff; ++first) {
    const test::Bytes bytes{static_cast<std::byte>(first)};
    EXPECT_EQ(classify(bytes), first == 0x16 ? Opening::NativeTls : Opening::Tag) << first;
  }
  EXPECT_EQ(classify(wire("16 03 01 02 00")), Opening::NativeTls);
  EXPECT_EQ(classify(wire("03 16 03 01 02 00")), Opening::Tag);
}

// The bytes of consul-1.8.7's first-byte table; renumbering one would break every client.
TEST(Tag, HasConsulsNumbers) {
  EXPECT_EQ(kRpcTag, 0);
  EXPECT_EQ(kRaftTag, 1);
  EXPECT_EQ(kMultiplexV1Tag, 2);
  EXPECT_EQ(kTlsTag, 3);
  EXPECT_EQ(kMultiplexTag, 4);
  EXPECT_EQ(kSnapshotTag, 5);
  EXPECT_EQ(kGossipTag, 6);
  EXPECT_EQ(kTlsInsecureTag, 7);
  EXPECT_EQ(kGrpcTag, 8);
  EXPECT_EQ(kRaftForwardingTag, 9);
  for (std::size_t byte = 0; byte < kTags.size(); ++byte)
    EXPECT_EQ(kTags[byte].byte, byte);

  EXPECT_EQ(tag_name(kMultiplexTag), "rpc-multi");
  EXPECT_EQ(tag_name(10), "");
  EXPECT_EQ(tag_name(0xff), "");
}

} // namespace
} // namespace switchyard::sniff

#include <proto/msgpack/head.hpp>

#include <gtest/gtest.h>
#include <tests/proto/wire.hpp>

namespace switchyard::msgpack {
namespace {

using test::wire;

constexpr std::uint64_t negative(std::int64_t value) {
  return static_cast<std::uint64_t>(value);
}

const struct {
  std::string_view wire;
  Head head;
} kCases[] = {
    {"00", {Kind::Unsigned, 1, 0}},
    {"7f", {Kind::Unsigned, 1, 127}},
    {"80", {Kind::Map, 1, 0}},
    {"8f", {Kind::Map, 1, 15}},
    {"90", {Kind::Array, 1, 0}},
    {"9f", {Kind::Array, 1, 15}},
    {"a0", {Kind::String, 1, 0}},
    {"bf", {Kind::String, 1, 31}},
    {"c0", {Kind::Nil, 1, 0}},
    {"c1", {Kind::Reserved, 1, 0}},
    {"c2", {Kind::Bool, 1, 0}},
    {"c3", {Kind::Bool, 1, 1}},
    {"c4 ff", {Kind::Binary, 2, 255}},
    {"c5 01 00", {Kind::Binary, 3, 256}},
    {"c6 ff ff ff ff", {Kind::Binary, 5, 0xffffffff}},
    {"c7 03 05", {Kind::Extension, 3, 3}},
    {"c8 01 00 05", {Kind::Extension, 4, 256}},
    {"c9 00 01 00 00 05", {Kind::Extension, 6, 65536}},
    {"ca 3f c0 00 00", {Kind::Float32, 5, 0x3fc00000}},
    {"cb 3f f8 00 00 00 00 00 00", {Kind::Float64, 9, 0x3ff8000000000000}},
    {"cc 80", {Kind::Unsigned, 2, 128}},
    {"cd 01 00", {Kind::Unsigned, 3, 256}},
    {"ce 00 01 00 00", {Kind::Unsigned, 5, 65536}},
    {"cf ff ff ff ff ff ff ff ff", {Kind::Unsigned, 9, UINT64_MAX}},
    {"d0 80", {Kind::Signed, 2, negative(-128)}},
    {"d0 7f", {Kind::Signed, 2, 127}},
    {"d1 80 00", {Kind::Signed, 3, negative(-32768)}},
    {"d2 80 00 00 00", {Kind::Signed, 5, negative(INT32_MIN)}},
    {"d3 80 00 00 00 00 00 00 00", {Kind::Signed, 9, negative(INT64_MIN)}},
    {"d4 05", {Kind::Extension, 2, 1}},
    {"d5 05", {Kind::Extension, 2, 2}},
    {"d6 05", {Kind::Extension, 2, 4}},
    {"d7 05", {Kind::Extension, 2, 8}},
    {"d8 05", {Kind::Extension, 2, 16}},
    {"d9 20", {Kind::String, 2, 32}},
    {"da 00 20", {Kind::String, 3, 32}},
    {"db ff ff ff ff", {Kind::String, 5, 0xffffffff}},
    {"dc 00 10", {Kind::Array, 3, 16}},
    {"dd ff ff ff ff", {Kind::Array, 5, 0xffffffff}},
    {"de 00 15", {Kind::Map, 3, 21}},
    {"df ff ff ff ff", {Kind::Map, 5, 0xffffffff}},
    {"e0", {Kind::Signed, 1, negative(-32)}},
    {"ff", {Kind::Signed, 1, negative(-1)}},
};

TEST(MsgpackHead, ReadsEveryFormat) {
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.wire);
    auto bytes = wire(c.wire);
    EXPECT_EQ(decode_head(bytes), c.head);

    bytes.insert(bytes.end(), kHeadSizeMax, std::byte{0xc1});
    EXPECT_EQ(decode_head(bytes), c.head) << "with bytes behind it";
  }
}

TEST(MsgpackHead, WaitsWhileItIsCutShort) {
  for (const auto& c : kCases) {
    const auto bytes = wire(c.wire);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_EQ(decode_head(std::span{bytes}.first(size)), std::nullopt)
          << c.wire << " at " << size;
    }
  }
}

} // namespace
} // namespace switchyard::msgpack

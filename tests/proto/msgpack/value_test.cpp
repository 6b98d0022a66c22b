#include <proto/msgpack/error.hpp>
#include <proto/msgpack/value.hpp>

#include <gtest/gtest.h>
#include <tests/proto/wire.hpp>

namespace switchyard::msgpack {
namespace {

using test::hex;
using test::wire;

TEST(MsgpackValue, ComesOutAsConsulWritesIt) {
  const struct {
    std::string_view name;
    std::string_view in;
    std::string_view out;
  } cases[] = {
      {"nil", "c0", "c0"},
      {"false and true", "92 c2 c3", "92 c2 c3"},
      {"wide integers",
       "93 cf 00 00 00 00 00 00 00 05 d3 ff ff ff ff ff ff ff ff d3 00 00 00 00 00 00 00 05",
       "93 05 ff 05"},
      {"floats keep their width",
       "92 ca 3f c0 00 00 cb 3f f8 00 00 00 00 00 00",
       "92 ca 3f c0 00 00 cb 3f f8 00 00 00 00 00 00"},
      {"str8 and bin", "92 d9 01 'x' c4 01 'y'", "92 a1 'x' a1 'y'"},
      {"map16 that is small", "de 00 01 a1 'a' dc 00 00", "81 a1 'a' 90"},
      {"maps keep their order", "82 a1 'b' 01 a1 'a' 02", "82 a1 'b' 01 a1 'a' 02"},
      {"keys of any kind", "82 01 02 90 80", "82 01 02 90 80"},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const auto bytes = wire(c.in);
    const auto decoded = decode_value(bytes);
    ASSERT_TRUE(decoded && *decoded);
    EXPECT_EQ((*decoded)->size, bytes.size());

    test::Bytes out;
    encode_value((*decoded)->value, out);
    EXPECT_EQ(hex(out), hex(wire(c.out)));
  }
}

TEST(MsgpackValue, FindsTheLastOfEqualKeys) {
  const auto decoded = decode_value(wire("83 a1 'a' 01 02 03 a1 'a' 04"));
  ASSERT_TRUE(decoded && *decoded);
  const auto* found = (*decoded)->value.find("a");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(*found, Value{std::uint64_t{4}});
  EXPECT_EQ((*decoded)->value.find("b"), nullptr);
  EXPECT_EQ(found->find("a"), nullptr);
}

TEST(MsgpackValue, WaitsOrRefuses) {
  EXPECT_EQ(decode_value(wire("92 01")).value().has_value(), false);
  EXPECT_EQ(decode_value(wire("92 01 a5 'xy'")).value().has_value(), false);
  EXPECT_EQ(decode_value(wire("dd 02 ff ff ff")).value().has_value(), false);
  EXPECT_EQ(decode_value(wire("dd ff ff ff ff")).error(), Error::TooLarge);
  EXPECT_EQ(decode_value(wire("91 d4 05 'x'")).error(), Error::WrongType);
  EXPECT_EQ(decode_value(wire("81 c1 01")).error(), Error::Reserved);
  EXPECT_EQ(decode_value(wire("91 91 91 01"), {.depth_max = 2}).error(), Error::TooDeep);
}

} // namespace
} // namespace switchyard::msgpack

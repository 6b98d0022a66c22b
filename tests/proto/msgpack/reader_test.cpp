#include <proto/msgpack/reader.hpp>

#include <gtest/gtest.h>
#include <tests/proto/wire.hpp>

#include <variant>

namespace switchyard::msgpack {
namespace {

using test::wire;

TEST(MsgpackReader, TakesFieldsAsLenientlyAsConsul) {
  using Field = std::variant<bool, std::uint64_t, std::int64_t, double, std::string_view>;

  const struct {
    std::string_view name;
    std::string_view wire;
    Field field;
  } cases[] = {
      {"bool", "c3", true},
      {"bool from nil", "c0", false},
      {"bool from 1", "01", true},
      {"bool from 0", "00", false},
      {"u64 from fixint", "05", std::uint64_t{5}},
      {"u64 from nil", "c0", std::uint64_t{0}},
      {"u64, the greatest", "cf ff ff ff ff ff ff ff ff", UINT64_MAX},
      {"u64 from a signed format", "d3 00 00 00 00 00 00 00 07", std::uint64_t{7}},
      {"u64 in a wider format than needed", "ce 00 00 00 07", std::uint64_t{7}},
      {"i64 from fixint", "ff", std::int64_t{-1}},
      {"i64, the least", "d3 80 00 00 00 00 00 00 00", INT64_MIN},
      {"i64 from an unsigned format", "cf 7f ff ff ff ff ff ff ff", INT64_MAX},
      {"i64 from nil", "c0", std::int64_t{0}},
      {"double", "cb 3f f8 00 00 00 00 00 00", 1.5},
      {"double from float", "ca 3f c0 00 00", 1.5},
      {"double from an integer", "05", 5.0},
      {"double from a negative integer", "d0 80", -128.0},
      {"double from nil", "c0", 0.0},
      {"text", "a3 'foo'", "foo"},
      {"text from str8", "d9 03 'foo'", "foo"},
      {"text from bin8", "c4 03 'foo'", "foo"},
      {"text from nil", "c0", ""},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const auto bytes = wire(c.wire);
    Reader in{bytes};
    const auto field = std::visit(
        [&in]<class T>(T) -> Field {
          if constexpr (std::is_same_v<T, bool>) return in.boolean();
          if constexpr (std::is_same_v<T, std::uint64_t>) return in.unsigned_integer();
          if constexpr (std::is_same_v<T, std::int64_t>) return in.signed_integer();
          if constexpr (std::is_same_v<T, double>) return in.real();
          if constexpr (std::is_same_v<T, std::string_view>) return in.string();
        },
        c.field);
    EXPECT_EQ(in.progress(), Progress::Good);
    EXPECT_EQ(field, c.field);
    EXPECT_EQ(in.size(), bytes.size());
  }
}

TEST(MsgpackReader, RefusesWhatTheFieldCannotHold) {
  const struct {
    std::string_view name;
    std::string_view wire;
    void (*read)(Reader&);
    Error error;
  } cases[] = {
      {"text as u64", "a1 'x'", [](Reader& in) { (void)in.unsigned_integer(); }, Error::WrongType},
      {"negative as u64", "ff", [](Reader& in) { (void)in.unsigned_integer(); }, Error::OutOfRange},
      {"2^63 as i64",
       "cf 80 00 00 00 00 00 00 00",
       [](Reader& in) { (void)in.signed_integer(); },
       Error::OutOfRange},
      {"bool as i64", "c3", [](Reader& in) { (void)in.signed_integer(); }, Error::WrongType},
      {"2 as bool", "02", [](Reader& in) { (void)in.boolean(); }, Error::WrongType},
      {"text as bool", "a0", [](Reader& in) { (void)in.boolean(); }, Error::WrongType},
      {"text as double", "a0", [](Reader& in) { (void)in.real(); }, Error::WrongType},
      {"integer as text", "05", [](Reader& in) { (void)in.string(); }, Error::WrongType},
      {"extension as text", "d4 05 'x'", [](Reader& in) { (void)in.string(); }, Error::WrongType},
      {"map as array", "80", [](Reader& in) { (void)in.array(); }, Error::WrongType},
      {"array as map", "90", [](Reader& in) { (void)in.map(); }, Error::WrongType},
      {"the reserved byte", "c1", [](Reader& in) { (void)in.string(); }, Error::Reserved},
      {"the reserved byte, skipped", "91 c1", [](Reader& in) { in.skip(); }, Error::Reserved},
      {"text of 4 GiB",
       "db ff ff ff ff '12345'",
       [](Reader& in) { (void)in.string(); },
       Error::TooLarge},
      {"array of 4 Gi elements",
       "dd ff ff ff ff",
       [](Reader& in) { (void)in.array(); },
       Error::TooLarge},
      {"elements beyond the limit",
       "93 a5 '12345' a5 '12345' a5 '12345'",
       [](Reader& in) { in.skip(); },
       Error::TooLarge},
      {"too deep, skipped", "91 91 91 01", [](Reader& in) { in.skip(); }, Error::TooDeep},
      {"too deep, pulled",
       "91 91 91 01",
       [](Reader& in) {
         while (in.array() != 0) {
         }
       },
       Error::TooDeep},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const auto bytes = wire(c.wire);
    Reader in{bytes, {.bytes_max = 16, .depth_max = 2}};
    c.read(in);
    ASSERT_EQ(in.progress(), Progress::Malformed);
    EXPECT_EQ(in.error(), c.error);

    EXPECT_EQ(in.unsigned_integer(), 0U) << "what follows a failure is zero";
    EXPECT_EQ(in.string(), "");
    EXPECT_EQ(in.error(), c.error) << "and does not change the error";
  }
}

TEST(MsgpackReader, SaysThatBytesAreMissingAtEveryCut) {
  const auto bytes =
      wire("82 a1 'a' 93 01 cd 01 00 cb 3f f8 00 00 00 00 00 00 a1 'b' da 00 02 'xy'");
  const auto pull = [](Reader& in) {
    EXPECT_LE(in.map(), 2U);
    (void)in.string();
    for (auto left = in.array(); left != 0 && in.progress() == Progress::Good; --left)
      (void)in.real();
    (void)in.string();
    (void)in.string();
  };
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    SCOPED_TRACE(size);
    const auto expected = size == bytes.size() ? Progress::Good : Progress::Cut;

    Reader in{std::span{bytes}.first(size)};
    pull(in);
    EXPECT_EQ(in.progress(), expected);

    Reader skipping{std::span{bytes}.first(size)};
    const auto skipped = skipping.skip();
    EXPECT_EQ(skipping.progress(), expected);
    EXPECT_EQ(skipped.size(), size == bytes.size() ? size : 0);
  }
}

TEST(MsgpackReader, TellsNilFromEmpty) {
  const auto bytes = wire("c0 90 80 a0");
  Reader in{bytes};
  EXPECT_EQ(in.peek(), Kind::Nil);
  EXPECT_TRUE(in.nil());
  EXPECT_FALSE(in.nil());
  EXPECT_EQ(in.peek(), Kind::Array);
  EXPECT_EQ(in.array(), 0U);
  EXPECT_FALSE(in.nil());
  EXPECT_EQ(in.map(), 0U);
  EXPECT_FALSE(in.nil());
  EXPECT_EQ(in.string(), "");
  EXPECT_EQ(in.progress(), Progress::Good);
  EXPECT_FALSE(in.nil());
  EXPECT_EQ(in.progress(), Progress::Cut);
}

TEST(MsgpackReader, SkipsWholeObjectsInsideOthers) {
  const auto bytes = wire("93 82 a1 'a' 92 01 02 a1 'b' c7 02 05 'xy' 07 90 08");
  Reader in{bytes};
  EXPECT_EQ(in.array(), 3U);
  EXPECT_EQ(test::hex(in.skip()), test::hex(wire("82 a1 'a' 92 01 02 a1 'b' c7 02 05 'xy'")));
  EXPECT_EQ(in.unsigned_integer(), 7U);
  EXPECT_EQ(in.skip().size(), 1U);
  EXPECT_EQ(in.unsigned_integer(), 8U) << "an object of its own, after the first";
  EXPECT_EQ(in.progress(), Progress::Good);
}

TEST(MsgpackReader, LimitsEveryObjectForItself) {
  const auto bytes = wire("a7 '1234567' a7 '1234567' a7 '1234567'");
  Reader in{bytes, {.bytes_max = 8}};
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(in.string(), "1234567");
  EXPECT_EQ(in.progress(), Progress::Good);
}

} // namespace
} // namespace switchyard::msgpack

#include <proto/msgpack/error.hpp>
#include <proto/netrpc/request.hpp>
#include <proto/netrpc/service_method.hpp>

#include <gtest/gtest.h>
#include <tests/proto/wire.hpp>

namespace switchyard::netrpc {
namespace {

using test::hex;
using test::wire;

TEST(NetrpcRequest, ReadsWhatConsulReads) {
  const struct {
    std::string_view name;
    std::string_view header;
    std::uint64_t seq;
    std::string_view method;
  } cases[] = {
      {"as Go writes it", "82 a3 'Seq' 01 ad 'ServiceMethod' ab 'Status.Ping'", 1, "Status.Ping"},
      {"in the other order",
       "82 ad 'ServiceMethod' ab 'Status.Ping' a3 'Seq' 01",
       1,
       "Status.Ping"},
      {"the greatest Seq",
       "82 a3 'Seq' cf ff ff ff ff ff ff ff ff ad 'ServiceMethod' a3 'A.B'",
       UINT64_MAX,
       "A.B"},
      {"Seq in a wide format",
       "82 a3 'Seq' d3 00 00 00 00 00 00 00 09 ad 'ServiceMethod' a3 'A.B'",
       9,
       "A.B"},
      {"str8 and bin, raw-20", "82 d9 03 'Seq' 01 c4 0d 'ServiceMethod' d9 03 'A.B'", 1, "A.B"},
      {"unknown keys",
       "84 a1 'x' 82 a1 'y' 90 01 02 a3 'Seq' 07 a5 'Error' 05 ad 'ServiceMethod' a3 'A.B'",
       7,
       "A.B"},
      {"a repeated key", "83 a3 'Seq' 01 a3 'Seq' 02 ad 'ServiceMethod' a3 'A.B'", 2, "A.B"},
      {"lower-case keys, raw-21", "82 a3 'seq' 01 ad 'serviceMethod' ab 'Status.Ping'", 0, ""},
      {"nil fields", "82 a3 'Seq' c0 ad 'ServiceMethod' c0", 0, ""},
      {"a nil key", "81 c0 01", 0, ""},
      {"nil", "c0", 0, ""},
      {"an empty map", "80", 0, ""},
      {"an array, raw-18", "92 ab 'Status.Ping' 09", 9, "Status.Ping"},
      {"a short array", "91 a3 'A.B'", 0, "A.B"},
      {"a long array", "94 a3 'A.B' 09 91 01 80", 9, "A.B"},
      {"an empty array", "90", 0, ""},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    auto bytes = wire(c.header);
    const auto size = bytes.size();
    for (std::size_t cut = 0; cut < size; ++cut) {
      const auto header = decode_request_header(std::span{bytes}.first(cut));
      ASSERT_TRUE(header) << cut;
      EXPECT_EQ(*header, std::nullopt) << cut;
    }

    bytes.push_back(std::byte{0xc1}); // the body is not looked at
    const auto header = decode_request_header(bytes);
    ASSERT_TRUE(header && *header);
    EXPECT_EQ(**header, (RequestHeader{c.seq, c.method, size}));
  }
}

TEST(NetrpcRequest, RefusesWhatIsNoHeader) {
  using msgpack::Error;

  const struct {
    std::string_view name;
    std::string_view header;
    Error error;
  } cases[] = {
      {"an integer, raw-19", "05 80", Error::WrongType},
      {"text", "a1 'x'", Error::WrongType},
      {"the reserved byte, raw-79", "c1 c1 c1", Error::Reserved},
      {"Seq of text", "81 a3 'Seq' a1 'x'", Error::WrongType},
      {"a negative Seq", "81 a3 'Seq' ff", Error::OutOfRange},
      {"a method that is a map", "81 ad 'ServiceMethod' 80", Error::WrongType},
      {"a key that is an integer", "81 01 02", Error::WrongType},
      {"an array that begins with Seq", "92 09 ab 'Status.Ping'", Error::WrongType},
      {"a method of 4 GiB", "81 ad 'ServiceMethod' db ff ff ff ff", Error::TooLarge},
      {"an unknown value of 512 bytes", "81 a1 'x' da 02 00", Error::TooLarge},
      {"257 pairs", "de 01 01", Error::TooLarge},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(decode_request_header(wire(c.header)).error(), c.error);
  }
}

TEST(NetrpcRequest, TakesUpToTheLimitAndNeverWaitsBeyondIt) {
  // Around a method of this length there are 23 bytes.
  const std::string method(kRequestHeaderBytesMax - 23, 'm');
  test::Bytes bytes;
  append_request_header(bytes, 1, method);
  ASSERT_EQ(bytes.size(), kRequestHeaderBytesMax);
  EXPECT_EQ(decode_request_header(bytes).value()->method, method);

  bytes.clear();
  append_request_header(bytes, 1, method + 'm');
  EXPECT_EQ(decode_request_header(bytes).error(), msgpack::Error::TooLarge);

  // Pairs of empty texts: 3 + 2 * 254 bytes, then 3 + 2 * 255.
  bytes = wire("de 00 fe");
  bytes.resize(kRequestHeaderBytesMax, std::byte{0xa0});
  EXPECT_EQ(decode_request_header(bytes).value()->size, 511U);
  bytes[2] = std::byte{0xff};
  EXPECT_EQ(decode_request_header(std::span{bytes}.first(3)).error(), msgpack::Error::TooLarge);
}

TEST(NetrpcRequest, WritesWhatGoWrites) {
  test::Bytes bytes;
  append_request_header(bytes, 1, "Status.Ping");
  append_request_header(bytes, 300, "KVS.Get");
  EXPECT_EQ(
      hex(bytes),
      hex(wire("82 a3 'Seq' 01 ad 'ServiceMethod' ab 'Status.Ping'"
               "82 a3 'Seq' cd 01 2c ad 'ServiceMethod' a7 'KVS.Get'")));
}

TEST(NetrpcServiceMethod, SplitsAtTheLastDot) {
  EXPECT_EQ(split("Status.Ping"), (ServiceMethod{"Status", "Ping"}));
  EXPECT_EQ(split("a.b.c"), (ServiceMethod{"a.b", "c"}));
  EXPECT_EQ(split("."), (ServiceMethod{"", ""}));
  EXPECT_EQ(split("StatusPing"), std::nullopt);
  EXPECT_EQ(split(""), std::nullopt);
}

} // namespace
} // namespace switchyard::netrpc

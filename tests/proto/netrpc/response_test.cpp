#include <proto/msgpack/error.hpp>
#include <proto/netrpc/response.hpp>

#include <gtest/gtest.h>
#include <tests/proto/wire.hpp>

namespace switchyard::netrpc {
namespace {

using test::hex;
using test::wire;

TEST(NetrpcResponse, WritesWhatConsulWrites) {
  test::Bytes bytes;
  append_response_header(bytes, 1, "Status.Ping");
  EXPECT_EQ(
      hex(bytes), hex(wire("83 a5 'Error' a0 a3 'Seq' 01 ad 'ServiceMethod' ab 'Status.Ping'")));

  bytes.clear();
  append_error_response(bytes, UINT64_MAX, "Status.Nope", "rpc: can't find method Status.Nope");
  auto expected = wire("83 a5 'Error' da 00 22 'rpc: can' 27 't find method Status.Nope'");
  const auto rest =
      wire("a3 'Seq' cf ff ff ff ff ff ff ff ff ad 'ServiceMethod' ab 'Status.Nope' 80");
  expected.insert(expected.end(), rest.begin(), rest.end());
  EXPECT_EQ(hex(bytes), hex(expected));
}

TEST(NetrpcResponse, ReadsWhatAServerMayWrite) {
  const struct {
    std::string_view name;
    std::string_view header;
    ResponseHeader read;
  } cases[] = {
      {"success", "83 a5 'Error' a0 a3 'Seq' 01 ad 'ServiceMethod' a3 'A.B'", {1, "A.B", ""}},
      {"failure",
       "83 a5 'Error' a4 'oops' a3 'Seq' 02 ad 'ServiceMethod' a3 'A.B'",
       {2, "A.B", "oops"}},
      {"another order", "83 a3 'Seq' 02 ad 'ServiceMethod' a3 'A.B' a5 'Error' c0", {2, "A.B", ""}},
      {"an array", "93 a3 'A.B' 02 a4 'oops'", {2, "A.B", "oops"}},
      {"an unknown key", "82 a1 'x' 90 a3 'Seq' 02", {2, "", ""}},
      {"nil", "c0", {}},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const auto bytes = wire(c.header);
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
      EXPECT_EQ(decode_response_header(std::span{bytes}.first(cut)).value(), std::nullopt);
    }
    auto expected = c.read;
    expected.size = bytes.size();
    EXPECT_EQ(decode_response_header(bytes).value(), expected);
  }
}

TEST(NetrpcResponse, BoundsTheErrorText) {
  EXPECT_EQ(
      decode_response_header(wire("81 a5 'Error' db 00 01 00 00")).error(),
      msgpack::Error::TooLarge);
  EXPECT_EQ(decode_response_header(wire("81 a5 'Error' da ff 00")).value(), std::nullopt);
}

} // namespace
} // namespace switchyard::netrpc

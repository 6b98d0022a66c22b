// Every call recorded from a real Consul 1.8.7 is decoded and encoded again byte for byte.
#include <proto/msgpack/extent.hpp>
#include <proto/msgpack/value.hpp>
#include <proto/netrpc/request.hpp>
#include <proto/netrpc/response.hpp>

#include <gtest/gtest.h>
#include <tests/proto/recordings.hpp>

namespace switchyard::netrpc {
namespace {

using test::hex;
using test::recordings;

/// Appends `body`, which must be one whole object, after a trip through its tree.
void append_body(test::Bytes& out, std::span<const std::byte> body) {
  EXPECT_EQ(msgpack::Extent{}.scan(body).value(), body.size());
  const auto decoded = msgpack::decode_value(body);
  ASSERT_TRUE(decoded && *decoded);
  EXPECT_EQ((*decoded)->size, body.size());
  msgpack::encode_value((*decoded)->value, out);
}

TEST(RecordedCall, RequestsOfARealAgentComeOutByteForByte) {
  const auto calls = recordings(".c2s.bin");
  EXPECT_EQ(calls.size(), 115U);
  for (const auto& [name, bytes] : calls) {
    SCOPED_TRACE(name);
    const auto header = decode_request_header(bytes);
    ASSERT_TRUE(header && *header);
    test::Bytes again;
    append_request_header(again, (*header)->seq, (*header)->method);
    append_body(again, std::span{bytes}.subspan((*header)->size));
    EXPECT_EQ(hex(again), hex(bytes));
  }
}

TEST(RecordedCall, ResponsesOfARealServerComeOutByteForByte) {
  const auto calls = recordings(".s2c.bin");
  EXPECT_EQ(calls.size(), 115U);
  for (const auto& [name, bytes] : calls) {
    SCOPED_TRACE(name);
    const auto header = decode_response_header(bytes);
    ASSERT_TRUE(header && *header);
    test::Bytes again;
    if ((*header)->error.empty()) {
      append_response_header(again, (*header)->seq, (*header)->method);
      append_body(again, std::span{bytes}.subspan((*header)->size));
    } else {
      append_error_response(again, (*header)->seq, (*header)->method, (*header)->error);
    }
    EXPECT_EQ(hex(again), hex(bytes));
  }
}

} // namespace
} // namespace switchyard::netrpc

#include <proto/msgpack/head.hpp>
#include <proto/msgpack/writer.hpp>

#include <gtest/gtest.h>
#include <tests/proto/wire.hpp>

namespace switchyard::msgpack {
namespace {

using test::hex;
using test::wire;

TEST(MsgpackWriter, ChoosesTheFormatsOfGo) {
  const struct {
    std::string_view wire;
    void (*write)(Writer&);
  } cases[] = {
      {"c0", [](Writer& out) { out.nil(); }},
      {"c2", [](Writer& out) { out.boolean(false); }},
      {"c3", [](Writer& out) { out.boolean(true); }},
      {"00", [](Writer& out) { out.unsigned_integer(0); }},
      {"7f", [](Writer& out) { out.unsigned_integer(127); }},
      {"cc 80", [](Writer& out) { out.unsigned_integer(128); }},
      {"cc ff", [](Writer& out) { out.unsigned_integer(255); }},
      {"cd 01 00", [](Writer& out) { out.unsigned_integer(256); }},
      {"cd ff ff", [](Writer& out) { out.unsigned_integer(65535); }},
      {"ce 00 01 00 00", [](Writer& out) { out.unsigned_integer(65536); }},
      {"ce ff ff ff ff", [](Writer& out) { out.unsigned_integer(UINT32_MAX); }},
      {"cf 00 00 00 01 00 00 00 00", [](Writer& out) { out.unsigned_integer(1ULL << 32); }},
      {"cf ff ff ff ff ff ff ff ff", [](Writer& out) { out.unsigned_integer(UINT64_MAX); }},
      {"05", [](Writer& out) { out.signed_integer(5); }},
      {"cf 7f ff ff ff ff ff ff ff", [](Writer& out) { out.signed_integer(INT64_MAX); }},
      {"ff", [](Writer& out) { out.signed_integer(-1); }},
      {"e0", [](Writer& out) { out.signed_integer(-32); }},
      {"d0 df", [](Writer& out) { out.signed_integer(-33); }},
      {"d0 80", [](Writer& out) { out.signed_integer(-128); }},
      {"d1 ff 7f", [](Writer& out) { out.signed_integer(-129); }},
      {"d1 80 00", [](Writer& out) { out.signed_integer(-32768); }},
      {"d2 ff ff 7f ff", [](Writer& out) { out.signed_integer(-32769); }},
      {"d2 80 00 00 00", [](Writer& out) { out.signed_integer(INT32_MIN); }},
      {"d3 ff ff ff ff 7f ff ff ff", [](Writer& out) { out.signed_integer(INT32_MIN - 1LL); }},
      {"d3 80 00 00 00 00 00 00 00", [](Writer& out) { out.signed_integer(INT64_MIN); }},
      {"ca 3f c0 00 00", [](Writer& out) { out.float32(1.5F); }},
      {"cb 3f f8 00 00 00 00 00 00", [](Writer& out) { out.float64(1.5); }},
      {"a0", [](Writer& out) { out.string(""); }},
      {"a3 'Seq'", [](Writer& out) { out.string("Seq"); }},
      {"90", [](Writer& out) { out.array(0); }},
      {"9f", [](Writer& out) { out.array(15); }},
      {"dc 00 10", [](Writer& out) { out.array(16); }},
      {"dd 00 01 00 00", [](Writer& out) { out.array(65536); }},
      {"8f", [](Writer& out) { out.map(15); }},
      {"de 00 10", [](Writer& out) { out.map(16); }},
      {"de ff ff", [](Writer& out) { out.map(65535); }},
      {"df 00 01 00 00", [](Writer& out) { out.map(65536); }},
  };

  for (const auto& c : cases) {
    auto out = wire("aa");
    Writer writer{out};
    c.write(writer);
    EXPECT_EQ(hex(out), "aa" + hex(wire(c.wire))) << "appended to what was there";
  }
}

TEST(MsgpackWriter, NeverWritesStr8) {
  const struct {
    std::size_t size;
    std::string_view head;
  } cases[] = {
      {31, "bf"},
      {32, "da 00 20"},
      {255, "da 00 ff"},
      {65535, "da ff ff"},
      {65536, "db 00 01 00 00"},
  };

  for (const auto& c : cases) {
    const std::string text(c.size, 'x');
    test::Bytes out;
    Writer{out}.string(text);
    const auto head = wire(c.head);
    EXPECT_EQ(hex(std::span{out}.first(head.size())), hex(head));
    EXPECT_EQ(out.size(), head.size() + c.size);
    EXPECT_EQ(out.back(), std::byte{'x'});
  }
}

} // namespace
} // namespace switchyard::msgpack

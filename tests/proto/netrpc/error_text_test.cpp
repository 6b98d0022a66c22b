#include <proto/netrpc/error_text.hpp>

#include <gtest/gtest.h>
#include <tests/proto/wire.hpp>

namespace switchyard::netrpc {
namespace {

using test::wire;

// The texts of raw-08 to raw-11.
TEST(NetrpcErrorText, NamesTheMethodAsConsulDoes) {
  EXPECT_EQ(cannot_find_method("Status.Nope"), "rpc: can't find method Status.Nope");
  EXPECT_EQ(cannot_find_service("Nope.Ping"), "rpc: can't find service Nope.Ping");
  EXPECT_EQ(ill_formed("StatusPing"), "rpc: service/method request ill-formed: StatusPing");
  EXPECT_EQ(ill_formed(""), "rpc: service/method request ill-formed: ");
}

// valueType 2 and 6 are raw-13 and raw-14; the others are go-msgpack's constants.
TEST(NetrpcErrorText, NumbersTheTypeOfABodyThatIsNoStructure) {
  const struct {
    std::string_view body;
    std::string_view type;
  } cases[] = {
      {"05", "2"},
      {"ff", "2"},
      {"d0 80", "2"},
      {"cc 80", "3"},
      {"ca 3f c0 00 00", "4"},
      {"cb 3f f8 00 00 00 00 00 00", "4"},
      {"c3", "5"},
      {"a1 'x'", "6"},
      {"d9 01 'x'", "6"},
      {"c4 01 'x'", "8"},
      {"d4 05 'x'", "c"},
  };

  for (const auto& c : cases) {
    EXPECT_EQ(
        no_structure(wire(c.body)),
        "codec.decoder: Only encoded map or array can be decoded into a struct. (valueType: " +
            std::string{c.type} + ")");
  }
  for (const auto* body : {"c0", "80", "90", "de 00 00", "dd 00 00 00 00"}) {
    EXPECT_EQ(no_structure(wire(body)), std::nullopt) << body;
  }
}

TEST(NetrpcErrorText, SaysWhyABodyCannotBeDecoded) {
  using msgpack::Error;
  EXPECT_EQ(
      undecodable(wire("c1"), Error::Reserved),
      "codec.decoder: currentEncodedType: Undeciphered descriptor: Unrecognized descriptor byte: "
      "hex: c1, dec: 193");
  EXPECT_EQ(
      undecodable(wire("81 a1 'x' c1"), Error::Reserved),
      "codec.decoder: Nil-Deciphered DecodeValue: Unrecognized descriptor byte: hex: c1, dec: 193");
  EXPECT_EQ(
      undecodable(wire("db ff ff ff ff"), Error::TooLarge),
      "codec.decoder: the object is larger than the limit");
}

} // namespace
} // namespace switchyard::netrpc

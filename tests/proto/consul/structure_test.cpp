#include <proto/bexpr/filter.hpp>
#include <proto/consul/catalog.hpp>
#include <proto/consul/error.hpp>
#include <proto/consul/health.hpp>
#include <proto/consul/kvs.hpp>
#include <proto/consul/server.hpp>
#include <proto/consul/txn.hpp>
#include <proto/msgpack/error.hpp>
#include <proto/msgpack/value.hpp>

#include <gtest/gtest.h>
#include <tests/proto/wire.hpp>

namespace switchyard::consul {
namespace {

using test::hex;
using test::wire;

TEST(ConsulStructure, WritesEveryFieldInAscendingOrderOfKeys) {
  test::Bytes out;
  encode(DirEntry{{.create_index = 7, .modify_index = 300}, 1, "k", UINT64_MAX, "v", "s"}, out);
  EXPECT_EQ(
      hex(out),
      hex(wire(
          "87 ab 'CreateIndex' 07 a5 'Flags' cf ff ff ff ff ff ff ff ff a3 'Key' a1 'k' "
          "a9 'LockIndex' 01 ab 'ModifyIndex' cd 01 2c a7 'Session' a1 's' a5 'Value' a1 'v'")));
}

TEST(ConsulStructure, ReadsWhatGoReads) {
  DirEntry expected;
  expected.key = "k";
  expected.flags = 3;
  expected.value = "v";

  const struct {
    std::string_view name;
    std::string_view bytes;
    DirEntry object;
  } cases[] = {
      {"in any order", "83 a5 'Value' a1 'v' a3 'Key' a1 'k' a5 'Flags' 03", expected},
      {"text as str8 and bin",
       "83 a5 'Flags' 03 c4 03 'Key' d9 01 'k' a5 'Value' c4 01 'v'",
       expected},
      {"a wide integer",
       "83 a5 'Flags' d3 00 00 00 00 00 00 00 03 a3 'Key' a1 'k' a5 'Value' a1 'v'",
       expected},
      {"unknown keys",
       "85 a1 'x' 81 a1 'y' 90 a5 'Flags' 03 a3 'Key' a1 'k' 05 c0 a5 'Value' a1 'v'",
       expected},
      {"the last of equal keys",
       "84 a5 'Flags' 09 a3 'Key' a1 'k' a5 'Flags' 03 a5 'Value' a1 'v'",
       expected},
      {"nil fields", "82 a3 'Key' c0 a5 'Flags' c0", {}},
      {"lower-case keys are others", "81 a3 'key' a1 'k'", {}},
      {"an empty map", "80", {}},
      {"nil", "c0", {}},
      {"bytes behind it", "80 c1", {}},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const auto object = decode<DirEntry>(wire(c.bytes));
    ASSERT_TRUE(object) << object.error().message();
    EXPECT_EQ(*object, c.object);
  }
}

TEST(ConsulStructure, KeepsNilAndEmptyApart) {
  for (const auto* bytes : {"c0", "90", "91 a1 't'"}) {
    const auto service = decode<NodeService>(wire(std::string{"81 a4 'Tags' "} + bytes));
    ASSERT_TRUE(service);
    test::Bytes out;
    encode(*service, out);
    EXPECT_NE(hex(out).find(hex(wire(std::string{"a4 'Tags' "} + bytes))), std::string::npos)
        << bytes;
  }
  EXPECT_EQ(decode<NodeService>(wire("80"))->meta, std::nullopt);
  EXPECT_TRUE(decode<NodeService>(wire("81 a4 'Meta' 80"))->meta->empty());
  EXPECT_EQ(decode<DirEntry>(wire("80"))->value, std::nullopt);
  EXPECT_EQ(decode<DirEntry>(wire("81 a5 'Value' a0"))->value, "");
}

TEST(ConsulStructure, TakesAnElementThatIsNilAsZero) {
  EXPECT_EQ(decode<TxnRequest>(wire("81 a3 'Ops' 91 c0"))->ops->at(0), TxnOp{});
}

TEST(ConsulStructure, PassesOnWhatItDoesNotLookAt) {
  const auto config = wire("82 a1 'a' d9 01 'b' a1 'c' 92 01 cb 3f f8 00 00 00 00 00 00");
  auto bytes = wire("81 a6 'Config'");
  bytes.insert(bytes.end(), config.begin(), config.end());
  EXPECT_EQ(decode<Upstream>(bytes)->config->size(), 2U);
  EXPECT_EQ(hex(decode<Upstream>(bytes)->config->at("a").bytes), hex(wire("d9 01 'b'")));
}

TEST(ConsulStructure, TellsFiltersWhatTheyMaySelect) {
  const auto& shape = kShape<CheckServiceNode>;
  for (const auto* text : {
           "Node.Meta.env == prod",
           "Service.Tags contains v1 and Service.Port == 80",
           "Service.TaggedAddresses.lan.Port == 1",
           "Service.Proxy.Upstreams.DestinationName == db",
           "Checks.Status != critical",
           "Service.Weights.Passing == 1",
       }) {
    EXPECT_TRUE(bexpr::Filter::create(text, shape)) << text;
  }
  for (const auto* text : {
           "Node.CreateIndex == 1",
           "Service.Proxy.Config is empty",
           "Service.Connect.SidecarService is empty",
           "Checks.Definition.HTTP == x",
           "Nope == 1",
       }) {
    EXPECT_FALSE(bexpr::Filter::create(text, shape)) << text;
  }

  CheckServiceNode instance;
  instance.service.emplace().tags = {"v1"};
  test::Bytes encoded;
  encode(instance, encoded);
  const auto value = (*msgpack::decode_value(encoded))->value;
  EXPECT_TRUE(bexpr::Filter::create("v1 in Service.Tags", shape)->matches(value));
  EXPECT_FALSE(bexpr::Filter::create("v2 in Service.Tags", shape)->matches(value));
}

TEST(ConsulStructure, RefusesWhatIsNone) {
  const struct {
    std::string_view bytes;
    boost::system::error_code error;
  } cases[] = {
      {"", Error::Incomplete},
      {"81", Error::Incomplete},
      {"81 a3 'Key'", Error::Incomplete},
      {"81 a3 'Key' a2 'k'", Error::Incomplete},
      {"05", msgpack::Error::WrongType},
      {"90", msgpack::Error::WrongType},
      {"81 a3 'Key' 05", msgpack::Error::WrongType},
      {"81 a5 'Flags' a1 'x'", msgpack::Error::WrongType},
      {"81 a5 'Flags' ff", msgpack::Error::OutOfRange},
      {"81 a5 'Value' 90", msgpack::Error::WrongType},
      {"81 a1 'x' c1", msgpack::Error::Reserved},
      {"81 a5 'Value' db ff ff ff ff", msgpack::Error::TooLarge},
      {"df ff ff ff ff", msgpack::Error::TooLarge},
  };

  for (const auto& c : cases) {
    const auto object = decode<DirEntry>(wire(c.bytes));
    ASSERT_FALSE(object) << c.bytes;
    EXPECT_EQ(object.error(), c.error) << c.bytes << ": " << object.error().message();
  }
}

TEST(ConsulStructure, CopiesTimesOfTheLengthThatGoWrites) {
  const auto body = [](std::string_view time) {
    return wire(std::string{"81 ab 'StableSince' "}.append(time));
  };
  const Time zero;
  const auto* utc = "af 01 00 00 00 0e d7 4b 2a 80 3a de 68 b1 ff ff";
  test::Bytes out;
  encode(*decode<ServerHealth>(body(utc)), out);
  EXPECT_NE(hex(out).find(hex(wire(utc))), std::string::npos);
  EXPECT_EQ(decode<ServerHealth>(body("a3 01 00 00"))->stable_since, Time{});
  EXPECT_EQ(
      hex(std::as_bytes(std::span{zero.bytes})),
      hex(wire("01 00 00 00 00 00 00 00 00 00 00 00 00 ff ff")));
}

} // namespace
} // namespace switchyard::consul

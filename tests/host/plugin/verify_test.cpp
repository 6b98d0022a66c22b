#include <host/plugin/verify.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tests/host/broken_plugins/bytes.hpp>

namespace switchyard::host {
namespace {

TEST(Verify, GivesTheManifestOfAGoodPlugin) {
  const auto bytes = read_file(fixture("clock"));
  const auto verified = verify_plugin("clock", "clock.so", as_span(bytes));

  ASSERT_TRUE(verified) << verified.error().text;
  EXPECT_EQ(verified->manifest.id, "test.clock");
  EXPECT_EQ(
      verified->manifest_text,
      "{\"abi\":\"0.5\",\"id\":\"test.clock\",\"provides\":[{\"interface\":\"test.clock/1\","
      "\"minor\":2,\"registrar\":true}],\"version\":\"1.0.0\"}");
}

TEST(Verify, GivesThePlatformLibrariesThatAPluginNeeds) {
  const auto bytes = read_file(fixture("needs_platform"));
  const auto verified = verify_plugin("needs_platform", "needs_platform.so", as_span(bytes));

  ASSERT_TRUE(verified) << verified.error().text;
  EXPECT_THAT(verified->platform, testing::ElementsAre("libresolv.so.2", "libc.so.6"));
}

TEST(Verify, AProcessOfItsOwnTakesWhatCouldNotBeUnloaded) {
  for (const auto* name :
       {"exports_more", "unique_symbol", "nodelete", "static_tls", "private_library"}) {
    const auto bytes = read_file(fixture(name));
    EXPECT_FALSE(verify_plugin(name, name, as_span(bytes))) << name;
    const auto verified = verify_plugin(name, name, as_span(bytes), Isolation::Process);
    ASSERT_TRUE(verified) << verified.error().text;
    for (const auto& library : verified->platform)
      EXPECT_TRUE(is_platform_library(library)) << library;
  }
  const auto bytes = read_file(fixture("other_symbol"));
  EXPECT_FALSE(verify_plugin("other_symbol", "x", as_span(bytes), Isolation::Process));
}

TEST(Verify, KnowsThePlatformLibraries) {
  for (const auto* shared :
       {"libc.so.6",
        "ld-linux-x86-64.so.2",
        "libstdc++.so.6",
        "libgrpc++.so.1.51",
        "libgrpc.so.29",
        "libgpr.so.29",
        "libupb.so.29",
        "libaddress_sorting.so.29",
        "libabsl_base.so.20220623",
        "libabsl_random_internal_randen_hwaes_impl.so.20220623",
        "libcares.so.2",
        "libre2.so.9",
        "libprotobuf.so.32",
        "libprotobuf-lite.so.32",
        "libz.so.1",
        "librocksdb.so.7.8",
        "libssl.so.3",
        "libcrypto.so.3"}) {
    EXPECT_TRUE(is_platform_library(shared)) << shared;
  }
  for (const auto* own :
       {"libcurl.so.4",
        "libc",
        "libcpp.so.6",
        "libboost_json.so.1.81.0",
        "libspdlog.so.1",
        "/opt/own/libc.so.6",
        "libgrpc/../own.so",
        ""}) {
    EXPECT_FALSE(is_platform_library(own)) << own;
  }
}

} // namespace
} // namespace switchyard::host

#include <switchyard/grpc/message.hpp>

#include <plugins/grpc/standard_services.hpp>

#include <gmock/gmock.h>
#include <grpc/health/v1/health.pb.h>
#include <gtest/gtest.h>
#include <tests/peer/fake_grpc_call.hpp>
#include <tests/plugins/grpc/services/descriptors.hpp>

namespace switchyard::grpc {
namespace {

using ::grpc::health::v1::HealthCheckRequest;
using ::grpc::health::v1::HealthCheckResponse;
using peer::FakeGrpcCall;
using testing::ElementsAre;
using testing::Pair;

const std::string kNoSet;

// What protoc makes is a message of the SDK, with nothing in between.
static_assert(GrpcMessage<HealthCheckRequest> && GrpcMessage<HealthCheckResponse>);

/// The table and health beside it; a registration that says whether its registrant stays.
class HealthTest : public testing::Test {
protected:
  static std::string request(std::string_view service) {
    HealthCheckRequest made;
    made.set_service(std::string{service});
    return made.SerializeAsString();
  }

  static std::string response(HealthCheckResponse::ServingStatus status) {
    HealthCheckResponse made;
    made.set_status(status);
    return made.SerializeAsString();
  }

  /// As StandardServices does.
  void add(std::string_view name, std::uint32_t where) {
    table.add(name, test::shop_service(where, kNoSet), registration);
    health.changed();
  }

  void remove() {
    table.remove(registration);
    health.changed();
  }

  std::pair<sy_grpc_code, std::string> check(std::string_view service, bool external = false) {
    FakeGrpcCall call{health.service(), "Check", external};
    call.begin(request(service));
    return call.finished.at(0);
  }

  static inline bool leaving;
  static inline int inside;

  HealthTest() {
    leaving = false;
    inside = 0;
  }

  ~HealthTest() override { EXPECT_EQ(inside, 0); }

  static constexpr sy_journal kJournal{
      sizeof(sy_journal),
      0,
      nullptr,
      nullptr,
      [](sy_registration*) -> sy_status {
        if (leaving) return SY_REVOKED;
        ++inside;
        return SY_OK;
      },
      [](sy_registration*) { --inside; }};

  sy_registration* const registration = reinterpret_cast<sy_registration*>(&inside);
  ServiceTable table{kJournal};
  Health health{table};
  const std::string serving = response(HealthCheckResponse::SERVING);
  const std::string not_serving = response(HealthCheckResponse::NOT_SERVING);
  const std::string unknown = response(HealthCheckResponse::SERVICE_UNKNOWN);
};

TEST_F(HealthTest, FollowsTheRegistrant) {
  EXPECT_THAT(check("shop.Till"), Pair(SY_GRPC_NOT_FOUND, ""));
  EXPECT_THAT(check(""), Pair(SY_GRPC_OK, serving));
  add("shop.Till", SY_GRPC_ON_INTERNAL);
  EXPECT_THAT(check("shop.Till"), Pair(SY_GRPC_OK, serving));
  EXPECT_THAT(check("shop.Till", true), Pair(SY_GRPC_NOT_FOUND, "")); // not on that server
  leaving = true;
  EXPECT_THAT(check("shop.Till"), Pair(SY_GRPC_OK, not_serving));
  EXPECT_THAT(check(""), Pair(SY_GRPC_OK, serving));
  leaving = false;
  health.drain();
  EXPECT_THAT(check("shop.Till"), Pair(SY_GRPC_OK, not_serving));
  EXPECT_THAT(check(""), Pair(SY_GRPC_OK, not_serving));
  remove();
  EXPECT_THAT(check("shop.Till"), Pair(SY_GRPC_NOT_FOUND, ""));
}

TEST_F(HealthTest, RefusesWhatItCannotDecode) {
  for (const auto* method : {"Check", "Watch"}) {
    FakeGrpcCall call{health.service(), method};
    call.begin("\x0a");
    EXPECT_THAT(call.finished, ElementsAre(Pair(SY_GRPC_INTERNAL, "")));
  }
}

TEST_F(HealthTest, TellsWhatHasChanged) {
  FakeGrpcCall call{health.service(), "Watch"};
  call.begin(request("shop.Till"));
  EXPECT_THAT(call.messages, ElementsAre(unknown));
  call.sent();
  add("shop.Till", SY_GRPC_ON_INTERNAL);
  EXPECT_THAT(call.messages, ElementsAre(unknown, serving));
  call.sent();
  health.changed(); // somebody else came
  EXPECT_FALSE(call.sends());
  health.drain();
  EXPECT_THAT(call.messages, ElementsAre(unknown, serving, not_serving));
  call.sent();
  call.cancel();
  EXPECT_THAT(call.finished, ElementsAre(Pair(SY_GRPC_UNAVAILABLE, "")));
  remove(); // is not told any more
  EXPECT_FALSE(call.sends());
}

TEST_F(HealthTest, TellsASlowClientTheStateAtItsTime) {
  FakeGrpcCall call{health.service(), "Watch"};
  call.begin(request("shop.Till"));
  add("shop.Till", SY_GRPC_ON_INTERNAL);
  remove();
  add("shop.Till", SY_GRPC_ON_INTERNAL);
  EXPECT_THAT(call.messages, ElementsAre(unknown));
  call.sent();
  EXPECT_THAT(call.messages, ElementsAre(unknown, serving));
  remove();
  add("shop.Till", SY_GRPC_ON_INTERNAL);
  call.sent(); // as it was told
  EXPECT_FALSE(call.sends());
  call.cancel();
}

TEST_F(HealthTest, ForgetsAClientThatHasGone) {
  {
    FakeGrpcCall call{health.service(), "Watch"};
    call.begin(request(""));
    call.refuse(SY_CANCELLED);
    call.sent(SY_CANCELLED);
    health.drain();
    call.cancel();
    EXPECT_EQ(call.finished.size(), 1u);
  }
  health.changed();
}

TEST(GrpcMessage, IsWhatProtocMakes) {
  HealthCheckRequest sent;
  sent.set_service("shop.Till");
  std::string encoded;
  ASSERT_TRUE(detail::encode(sent, encoded));
  HealthCheckRequest decoded;
  EXPECT_TRUE(detail::decode({encoded.data(), encoded.size()}, decoded));
  EXPECT_EQ(decoded.service(), "shop.Till");
  EXPECT_FALSE(detail::decode({encoded.data(), encoded.size() - 1}, decoded));
}

TEST(StandardServices, AreTheFirstInTheTable) {
  static constexpr sy_journal kNobody{sizeof kNobody, 0, nullptr, nullptr, nullptr, nullptr};
  ServiceTable table{kNobody};
  const StandardServices services{table, SY_GRPC_ON_EXTERNAL};
  EXPECT_EQ(table.presence(kHealth, SY_GRPC_ON_INTERNAL), Presence::Here);
  EXPECT_EQ(table.presence(kHealth, SY_GRPC_ON_EXTERNAL), Presence::Here);
  for (const auto name : {kReflection, kReflectionAlpha}) {
    EXPECT_EQ(table.presence(name, SY_GRPC_ON_EXTERNAL), Presence::Here);
    EXPECT_EQ(table.presence(name, SY_GRPC_ON_INTERNAL), Presence::None);
  }
}

} // namespace
} // namespace switchyard::grpc

// The greeter's service, between a provider of switchyard.grpc.services/1 that the test plays and
// nobody else.
extern "C" {
#include <sdk/example/grpc_greeter/greeter.h>
}

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tests/peer/fake_grpc_call.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kYou{"\x0a\x03you", 5};
const std::string kHelloYou = "\x0a\x0bHello, you!"s;

/// A call of the greeter.
struct Call : switchyard::peer::FakeGrpcCall {
  explicit Call(std::string_view method) : FakeGrpcCall{greeter_service, method} {}
};

TEST(Greeter, GreetsOnce) {
  const std::pair<std::string_view, std::pair<sy_grpc_code, std::string>> cases[] = {
      {kYou, {SY_GRPC_OK, kHelloYou}},
      {"", {SY_GRPC_INVALID_ARGUMENT, ""}},
      {"\x0a", {SY_GRPC_INVALID_ARGUMENT, ""}},
  };
  for (const auto& [request, answer] : cases) {
    Call call{"Greet"};
    call.begin(request);
    EXPECT_THAT(call.finished, ElementsAre(answer));
  }
}

TEST(Greeter, RepeatsWhenTheLastHasGone) {
  Call call{"Repeat"};
  call.begin({"\x0a\x03you\x10\x02", 7});
  EXPECT_THAT(call.messages, ElementsAre(kHelloYou));
  call.sent();
  EXPECT_THAT(call.messages, ElementsAre(kHelloYou, kHelloYou));
  EXPECT_THAT(call.finished, IsEmpty());
  call.sent();
  EXPECT_THAT(call.finished, ElementsAre(testing::Pair(SY_GRPC_OK, "")));
}

TEST(Greeter, RepeatsOnceWithoutANumber) {
  Call call{"Repeat"};
  call.begin(kYou);
  call.sent();
  EXPECT_EQ(call.messages.size(), 1u);
  EXPECT_THAT(call.finished, ElementsAre(testing::Pair(SY_GRPC_OK, "")));
}

TEST(Greeter, RepeatsForNobody) {
  Call call{"Repeat"};
  call.begin("\x10");
  EXPECT_THAT(call.finished, ElementsAre(testing::Pair(SY_GRPC_INVALID_ARGUMENT, "")));
}

TEST(Greeter, MeetsOneAfterTheOther) {
  Call call{"Meet"};
  call.begin();
  call.deliver(SY_OK, kYou);
  EXPECT_FALSE(call.receives()); // not before the greeting has gone
  call.sent();
  call.deliver(SY_OK, {"\x0a\x02me", 4});
  call.sent();
  EXPECT_THAT(call.messages, ElementsAre(kHelloYou, "\x0a\x0aHello, me!"s));
  call.deliver(SY_CLOSED);
  EXPECT_THAT(call.finished, ElementsAre(testing::Pair(SY_GRPC_OK, "")));
}

TEST(Greeter, EndsAStreamOnceHoweverItEnds) {
  {
    Call call{"Meet"};
    call.begin();
    call.deliver(SY_OK, "\x0a");
    EXPECT_THAT(call.finished, ElementsAre(testing::Pair(SY_GRPC_INVALID_ARGUMENT, "")));
  }
  {
    Call call{"Meet"}; // the client goes while its greeting is sent
    call.begin();
    call.deliver(SY_OK, kYou);
    call.cancel();
    call.sent(SY_CANCELLED);
    EXPECT_THAT(call.finished, ElementsAre(testing::Pair(SY_GRPC_UNAVAILABLE, "")));
  }
  {
    Call call{"Meet"}; // the server drains while the client is silent
    call.begin();
    call.cancel();
    call.deliver(SY_CANCELLED);
    EXPECT_THAT(call.finished, ElementsAre(testing::Pair(SY_GRPC_UNAVAILABLE, "")));
  }
  {
    Call call{"Meet"};
    call.refuse(SY_CANCELLED);
    call.begin();
    EXPECT_THAT(call.finished, ElementsAre(testing::Pair(SY_GRPC_CANCELLED, "")));
  }
  {
    Call call{"Repeat"};
    call.begin(kYou);
    call.sent(SY_CANCELLED);
    EXPECT_THAT(call.finished, ElementsAre(testing::Pair(SY_GRPC_CANCELLED, "")));
  }
}

} // namespace

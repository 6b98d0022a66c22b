// The greeter's service, between a provider of switchyard.grpc.services/1 that the test plays and
// nobody else.
extern "C" {
#include <sdk/example/grpc_greeter/greeter.h>
}

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kYou{"\x0a\x03you", 5};
const std::string kHelloYou = "\x0a\x0bHello, you!"s;

/// One call; the test completes what is in flight.
struct Call : sy_grpc_call {
  explicit Call(std::string_view name) : sy_grpc_call{&kApi, nullptr} {
    for (std::size_t at = 0; at < greeter_service.method_count; ++at) {
      const auto* candidate = greeter_service.methods[at];
      if (std::string_view{candidate->name.data, candidate->name.size} == name) method = candidate;
    }
  }

  ~Call() { greeter_service.ended(greeter_service.context, this); }

  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  void begin(std::string_view message = {}) {
    method->call(method->context, this, {message.data(), message.size()});
  }

  void deliver(sy_status status, std::string_view message = {}) {
    const auto [done, context] = std::exchange(receiving, {});
    done(context, status, {message.data(), message.size()});
  }

  void sent(sy_status status = SY_OK) {
    const auto [done, context] = std::exchange(sending, {});
    done(context, status);
  }

  void cancel() { greeter_service.cancel(greeter_service.context, this); }

  static Call& of(sy_grpc_call* call) { return *static_cast<Call*>(call); }

  const sy_grpc_method* method = nullptr;
  sy_status refuses = SY_OK;
  std::pair<sy_grpc_received, void*> receiving{};
  std::pair<sy_grpc_sent, void*> sending{};
  std::vector<std::string> messages;
  std::vector<std::pair<sy_grpc_code, std::string>> finished;

  static const sy_grpc_call_api kApi;
};

const sy_grpc_call_api Call::kApi{
    sizeof(sy_grpc_call_api),
    0,
    nullptr,
    nullptr,
    [](sy_grpc_call* call, sy_bytes message, sy_grpc_sent sent, void* context) -> sy_status {
      auto& self = of(call);
      if (self.refuses != SY_OK) return self.refuses;
      self.messages.emplace_back(static_cast<const char*>(message.data), message.size);
      self.sending = {sent, context};
      return SY_OK;
    },
    [](sy_grpc_call* call, sy_grpc_received received, void* context) -> sy_status {
      auto& self = of(call);
      if (self.refuses != SY_OK) return self.refuses;
      self.receiving = {received, context};
      return SY_OK;
    },
    [](sy_grpc_call* call, const sy_grpc_status* status, sy_bytes message, sy_grpc_metadata) {
      of(call).finished.emplace_back(
          status->code, std::string{static_cast<const char*>(message.data), message.size});
    }};

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
  EXPECT_EQ(call.receiving.first, nullptr); // not before the greeting has gone
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
    call.refuses = SY_CANCELLED;
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

#include <switchyard/interfaces.hpp>
#include <switchyard/netrpc/endpoints.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tests/peer/fake_host.hpp>

#include <stdexcept>
#include <string>
#include <vector>

namespace switchyard {
namespace {

using peer::FakeHost;
using testing::ElementsAre;

struct Clock {
  std::uint32_t struct_size;
  std::uint32_t reserved;
  int (*now)(void* provider);
};

/// The host's interface service with one provider, which may be away.
struct Provided {
  static inline int time = 42;
  static inline bool there = true;
  static inline int handles = 0;
  static inline int leases = 0;

  static constexpr Clock kClock{
      sizeof(Clock), 0, [](void* provider) { return *static_cast<int*>(provider); }};

  static constexpr sy_interfaces kInterfaces{
      sizeof(sy_interfaces),
      0,
      [](const sy_host*, const char* id, sy_interface** handle, sy_error* error) -> sy_status {
        if (std::string_view{id} != "com.example.clock/1") {
          return fill(error, SY_NOT_FOUND, "the manifest does not require " + std::string{id});
        }
        ++handles;
        *handle = reinterpret_cast<sy_interface*>(&time);
        return SY_OK;
      },
      [](sy_interface*) { --handles; },
      [](sy_interface*, sy_lease* lease) -> sy_status {
        if (!there) return SY_REVOKED;
        ++leases;
        *lease = {&kClock, &time, nullptr};
        return SY_OK;
      },
      [](sy_lease*) { --leases; }};
};

TEST(InterfaceHandle, LeasesItsProviderForOneCall) {
  FakeHost fake;
  fake.offer(SY_INTERFACES, &Provided::kInterfaces);
  const Host host{fake.get()};
  {
    const InterfaceHandle<Clock> clock{host, "com.example.clock/1"};
    EXPECT_EQ(Provided::handles, 1);
    {
      const auto lease = clock.lease();
      ASSERT_TRUE(lease);
      EXPECT_EQ(Provided::leases, 1);
      EXPECT_EQ(lease->now(lease.provider()), 42);
      auto moved = clock.lease();
      const auto other{std::move(moved)};
      EXPECT_TRUE(other);
      EXPECT_EQ(Provided::leases, 2);
    }
    EXPECT_EQ(Provided::leases, 0);
    Provided::there = false;
    EXPECT_FALSE(clock.lease());
    Provided::there = true;
    EXPECT_TRUE(clock.lease());
  }
  EXPECT_EQ(Provided::handles, 0);
  EXPECT_EQ(Provided::leases, 0);
}

TEST(InterfaceHandle, FailsForWhatTheManifestDoesNotRequire) {
  FakeHost fake;
  fake.offer(SY_INTERFACES, &Provided::kInterfaces);
  try {
    const InterfaceHandle<Clock> clock{Host{fake.get()}, "com.example.other/1"};
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.status(), SY_NOT_FOUND);
    EXPECT_STREQ(failure.what(), "the manifest does not require com.example.other/1");
  }
}

/// The host's journal with room for one endpoint.
struct Registered {
  static inline std::string key;
  static inline sy_netrpc_endpoint endpoint{};

  static constexpr sy_journal kJournal{
      sizeof(sy_journal),
      0,
      [](const sy_host*,
         const char* id,
         sy_string name,
         const void* entry,
         std::size_t size,
         sy_registration** registration,
         sy_error* error) -> sy_status {
        EXPECT_STREQ(id, SY_NETRPC_ENDPOINTS);
        EXPECT_EQ(size, sizeof endpoint);
        if (!key.empty()) return fill(error, SY_EXISTS, key + " is taken");
        key = view(name);
        endpoint = *static_cast<const sy_netrpc_endpoint*>(entry);
        *registration = reinterpret_cast<sy_registration*>(&endpoint);
        return SY_OK;
      },
      [](sy_registration*) { key.clear(); },
      nullptr,
      nullptr};
};

/// A call whose answer is a line.
struct Call : sy_netrpc_call {
  Call();
  std::vector<std::string> answers;

  static void answer(sy_netrpc_call* call, std::string line) {
    static_cast<Call*>(call)->answers.push_back(std::move(line));
  }
};

constexpr sy_netrpc_call_api kCallApi{
    sizeof(sy_netrpc_call_api),
    0,
    [](sy_netrpc_call* call, sy_bytes body) {
      Call::answer(call, "reply " + std::string{static_cast<const char*>(body.data), body.size});
    },
    [](sy_netrpc_call* call, sy_string text) {
      Call::answer(call, "fail " + std::string{view(text)});
    },
    [](sy_netrpc_call* call) { Call::answer(call, "drop"); },
    [](sy_netrpc_call*) { return to_c(std::string_view{"127.0.0.1:1"}); },
    [](sy_netrpc_call* call, sy_string text) {
      Call::answer(call, "reject " + std::string{view(text)});
    }};

Call::Call() : sy_netrpc_call{&kCallApi} {}

TEST(NetrpcEndpoint, AnswersEachCallOnce) {
  FakeHost fake;
  fake.offer(SY_JOURNAL, &Registered::kJournal);
  const Host host{fake.get()};
  sy_netrpc_call* cancelled = nullptr;
  {
    const NetrpcEndpoint endpoint{
        host,
        "Example.Do",
        [](NetrpcCall call, std::span<const std::byte> body) {
          EXPECT_EQ(call.remote(), "127.0.0.1:1");
          const std::string text{reinterpret_cast<const char*>(body.data()), body.size()};
          if (text == "throw") throw std::runtime_error{"thrown in a handler"};
          if (text == "fail") return std::move(call).fail("no such thing");
          if (text == "reject") return std::move(call).reject("not msgpack");
          if (text != "leave") std::move(call).reply(body);
        },
        [&](sy_netrpc_call* call) { cancelled = call; }};
    EXPECT_EQ(Registered::key, "Example.Do");

    const std::pair<std::string_view, std::string> cases[] = {
        {"ping", "reply ping"},
        {"fail", "fail no such thing"},
        {"reject", "reject not msgpack"},
        {"leave", "drop"},
        {"throw", "drop"},
    };
    for (const auto& [body, answer] : cases) {
      Call call;
      Registered::endpoint.call(Registered::endpoint.context, &call, {body.data(), body.size()});
      EXPECT_THAT(call.answers, ElementsAre(answer));
    }
    EXPECT_THAT(fake.lines(), ElementsAre("thrown in a handler"));

    Call call;
    Registered::endpoint.cancel(Registered::endpoint.context, &call);
    EXPECT_EQ(cancelled, &call);
    EXPECT_THROW((NetrpcEndpoint{host, "Example.Do", [](NetrpcCall, auto) {}}), Failure);
  }
  EXPECT_EQ(Registered::key, "");
}

TEST(NetrpcEndpoint, IsNotToldWhenItDoesNotAsk) {
  FakeHost fake;
  fake.offer(SY_JOURNAL, &Registered::kJournal);
  NetrpcEndpoint first{
      Host{fake.get()}, "Example.Do", [](NetrpcCall, auto) {}, {}, SY_NETRPC_INSECURE};
  EXPECT_EQ(Registered::endpoint.cancel, nullptr);
  EXPECT_EQ(Registered::endpoint.flags, SY_NETRPC_INSECURE);
  {
    const NetrpcEndpoint second{std::move(first)};
    EXPECT_EQ(Registered::key, "Example.Do");
  }
  EXPECT_EQ(Registered::key, "");
}

} // namespace
} // namespace switchyard

#include "instance_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <thread>

namespace switchyard::host {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto kId = "switchyard.test.clock/1";

Interfaces::Clock::time_point in(std::chrono::milliseconds time) {
  return Interfaces::Clock::now() + time;
}

TEST(Interfaces, LeadToTheProviderThatIsThereNow) {
  Interfaces interfaces;
  int table = 0;
  int first = 0;
  int second = 0;
  sy_lease lease{};
  auto* handle = interfaces.open(this, "catalog", kId);

  EXPECT_EQ(Interfaces::acquire(handle, &lease), SY_REVOKED);
  interfaces.publish(kId, &table, &first);
  ASSERT_EQ(Interfaces::acquire(handle, &lease), SY_OK);
  EXPECT_EQ(lease.table, &table);
  EXPECT_EQ(lease.provider, &first);
  Interfaces::release(&lease);
  EXPECT_EQ(lease.provider, nullptr);

  EXPECT_THAT(interfaces.revoke(kId, in(60s)), IsEmpty());
  EXPECT_EQ(Interfaces::acquire(handle, &lease), SY_REVOKED);
  interfaces.publish(kId, &table, &second);
  ASSERT_EQ(Interfaces::acquire(handle, &lease), SY_OK);
  EXPECT_EQ(lease.provider, &second);
  Interfaces::release(&lease);
  EXPECT_EQ(interfaces.close_all(this), 0U);
}

TEST(Interfaces, NameTheConsumerThatDoesNotLetGo) {
  Interfaces interfaces;
  int provider = 0;
  sy_lease lease{};
  interfaces.publish(kId, &provider, &provider);
  auto* holds = interfaces.open(this, "catalog", kId);
  ASSERT_NE(interfaces.open(this, "peering", kId), nullptr);

  ASSERT_EQ(Interfaces::acquire(holds, &lease), SY_OK);
  EXPECT_THAT(interfaces.revoke(kId, in(0ms)), ElementsAre("catalog"));
  Interfaces::close(holds);
  EXPECT_EQ(interfaces.close_all(this), 1U);
  EXPECT_EQ(lease.provider, &provider) << "what it leads to is still there";
  Interfaces::release(&lease);
  EXPECT_EQ(interfaces.close_all(this), 0U);
}

TEST(Interfaces, WaitForALeaseThatIsStillOut) {
  Interfaces interfaces;
  auto provider = std::make_unique<std::atomic<int>>(0);
  interfaces.publish(kId, provider.get(), provider.get());
  auto* handle = interfaces.open(this, "catalog", kId);
  std::latch leased{1};

  std::thread consumer{[&] {
    sy_lease lease{};
    ASSERT_EQ(Interfaces::acquire(handle, &lease), SY_OK);
    leased.count_down();
    for (sy_lease other{}; Interfaces::acquire(handle, &other) == SY_OK;) {
      Interfaces::release(&other); // until revoke() has begun
    }
    ++*static_cast<std::atomic<int>*>(lease.provider);
    Interfaces::release(&lease);
  }};
  leased.wait();
  EXPECT_THAT(interfaces.revoke(kId, in(60s)), IsEmpty());
  EXPECT_EQ(*provider, 1) << "the call under the lease was over before revoke() returned";
  provider.reset();
  consumer.join();
  EXPECT_EQ(interfaces.close_all(this), 0U);
}

// Under the address and thread sanitizers this is the proof that no consumer sees a provider that
// has gone: each one is freed as soon as revoke() returns.
TEST(Interfaces, NeverLeadToAProviderThatHasGone) {
  constexpr std::uint64_t kAlive = 0x616c697665;

  struct Provider {
    std::uint64_t alive = kAlive;
    std::atomic<std::uint64_t> calls{0};

    ~Provider() { alive = 0; }
  };

  Interfaces interfaces;
  std::atomic<bool> over{false};
  std::atomic<std::uint64_t> answered{0};
  std::atomic<std::uint64_t> stale{0};

  std::vector<std::thread> consumers;
  for (int c = 0; c < 2; ++c) {
    auto* handle = interfaces.open(this, "consumer", kId);
    consumers.emplace_back([&, handle] {
      while (!over) {
        sy_lease lease{};
        if (Interfaces::acquire(handle, &lease) != SY_OK) continue;
        auto& provider = *static_cast<Provider*>(lease.provider);
        if (provider.alive != kAlive) ++stale;
        ++provider.calls;
        ++answered;
        Interfaces::release(&lease);
      }
    });
  }

  for (int swap = 0; swap < 200; ++swap) {
    const auto provider = std::make_unique<Provider>();
    interfaces.publish(kId, provider.get(), provider.get());
    while (provider->calls < 10)
      std::this_thread::yield();
    EXPECT_THAT(interfaces.revoke(kId, in(60s)), IsEmpty());
  }
  over = true;
  for (auto& consumer : consumers)
    consumer.join();

  EXPECT_EQ(stale, 0U);
  EXPECT_GE(answered, 2000U);
  EXPECT_EQ(interfaces.close_all(this), 0U);
}

TEST(Interfaces, AreOpenedOnlyWhenTheManifestRequiresThem) {
  LoggedServices process;
  InstanceServices instance{process.services, {}, "catalog", {kId}};
  const auto& table = interfaces_table();
  sy_interface* handle = nullptr;
  auto error = empty_error();

  EXPECT_EQ(table.open(&instance.host, "switchyard.other/1", &handle, &error), SY_NOT_FOUND);
  EXPECT_EQ(error.code, SY_NOT_FOUND);
  EXPECT_STREQ(
      error.text, "the manifest does not require switchyard.other/1: name it under \"requires\"");
  EXPECT_EQ(table.open(&instance.host, kId, &handle, nullptr), SY_OK);
  table.close(handle);
  instance.phase = ServicePhase::Stopped;
  EXPECT_EQ(table.open(&instance.host, kId, &handle, &error), SY_CANCELLED);
}

} // namespace
} // namespace switchyard::host

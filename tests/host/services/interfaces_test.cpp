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
  EXPECT_THAT(interfaces.publish(kId, &table, &first, in(60s)), IsEmpty());
  ASSERT_EQ(Interfaces::acquire(handle, &lease), SY_OK);
  EXPECT_EQ(lease.table, &table);
  EXPECT_EQ(lease.provider, &first);
  Interfaces::release(&lease);
  EXPECT_EQ(lease.provider, nullptr);

  EXPECT_THAT(interfaces.revoke(kId, &first, in(60s)), IsEmpty());
  EXPECT_EQ(Interfaces::acquire(handle, &lease), SY_REVOKED);
  EXPECT_THAT(interfaces.publish(kId, &table, &second, in(60s)), IsEmpty());
  ASSERT_EQ(Interfaces::acquire(handle, &lease), SY_OK);
  EXPECT_EQ(lease.provider, &second);
  Interfaces::release(&lease);
  EXPECT_EQ(interfaces.close_all(this), 0U);
}

TEST(Interfaces, NameTheConsumerThatDoesNotLetGo) {
  Interfaces interfaces;
  int provider = 0;
  sy_lease lease{};
  EXPECT_THAT(interfaces.publish(kId, &provider, &provider, in(60s)), IsEmpty());
  auto* holds = interfaces.open(this, "catalog", kId);
  ASSERT_NE(interfaces.open(this, "peering", kId), nullptr);

  EXPECT_THAT(interfaces.leased_by(kId, &provider), IsEmpty());
  ASSERT_EQ(Interfaces::acquire(holds, &lease), SY_OK);
  EXPECT_THAT(interfaces.leased_by(kId, &provider), ElementsAre("catalog"));
  EXPECT_THAT(interfaces.leased_by(kId, &lease), IsEmpty()) << "no such provider";
  EXPECT_THAT(interfaces.revoke(kId, &provider, in(0ms)), ElementsAre("catalog"));
  Interfaces::close(holds);
  EXPECT_EQ(interfaces.close_all(this), 1U);
  EXPECT_EQ(lease.provider, &provider) << "what it leads to is still there";
  Interfaces::release(&lease);
  EXPECT_EQ(interfaces.close_all(this), 0U);
}

TEST(Interfaces, WaitForALeaseThatIsStillOut) {
  Interfaces interfaces;
  auto provider = std::make_unique<std::atomic<int>>(0);
  EXPECT_THAT(interfaces.publish(kId, provider.get(), provider.get(), in(60s)), IsEmpty());
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
  EXPECT_THAT(interfaces.revoke(kId, provider.get(), in(60s)), IsEmpty());
  EXPECT_EQ(*provider, 1) << "the call under the lease was over before revoke() returned";
  provider.reset();
  consumer.join();
  EXPECT_EQ(interfaces.close_all(this), 0U);
}

// A replacement: both are there for a while, and the second can be taken back.
TEST(Interfaces, LeadToTheNewProviderWhileTheOldOneIsStillCalled) {
  Interfaces interfaces;
  int first = 1;
  int second = 2;
  int third = 3;
  auto* handle = interfaces.open(this, "catalog", kId);
  const auto lease_on = [&](const void* provider) {
    sy_lease lease{};
    EXPECT_EQ(Interfaces::acquire(handle, &lease), SY_OK);
    EXPECT_EQ(lease.provider, provider);
    EXPECT_EQ(lease.table, provider);
    return lease;
  };

  ASSERT_THAT(interfaces.publish(kId, &first, &first, in(0ms)), IsEmpty());
  auto old = lease_on(&first);
  ASSERT_THAT(interfaces.publish(kId, &second, &second, in(0ms)), IsEmpty());
  auto next = lease_on(&second);
  EXPECT_THAT(interfaces.publish(kId, &third, &third, in(0ms)), ElementsAre("catalog"))
      << "the first is still called, and there is room for two";
  auto same = lease_on(&second);
  Interfaces::release(&same);

  ASSERT_THAT(interfaces.publish(kId, &first, &first, in(0ms)), IsEmpty()) << "taken back";
  same = lease_on(&first);
  Interfaces::release(&same);
  EXPECT_THAT(interfaces.revoke(kId, &second, in(0ms)), ElementsAre("catalog"));
  Interfaces::release(&next);
  EXPECT_THAT(interfaces.revoke(kId, &second, in(0ms)), IsEmpty());
  same = lease_on(&first);
  Interfaces::release(&same);

  ASSERT_THAT(interfaces.publish(kId, &third, &third, in(0ms)), IsEmpty());
  EXPECT_THAT(interfaces.revoke(kId, &first, in(0ms)), ElementsAre("catalog"));
  Interfaces::release(&old);
  EXPECT_THAT(interfaces.revoke(kId, &first, in(0ms)), IsEmpty());
  same = lease_on(&third);
  Interfaces::release(&same);
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

  std::unique_ptr<Provider> before;
  for (int swap = 0; swap < 400; ++swap) {
    auto provider = std::make_unique<Provider>();
    EXPECT_THAT(interfaces.publish(kId, provider.get(), provider.get(), in(60s)), IsEmpty());
    while (provider->calls < 10)
      std::this_thread::yield();
    EXPECT_THAT(interfaces.revoke(kId, before.get(), in(60s)), IsEmpty());
    before = std::move(provider);
    if (swap % 2 != 0) continue;
    EXPECT_THAT(interfaces.revoke(kId, before.get(), in(60s)), IsEmpty()); // no one follows it
    before.reset();
  }
  EXPECT_THAT(interfaces.revoke(kId, before.get(), in(60s)), IsEmpty());
  over = true;
  for (auto& consumer : consumers)
    consumer.join();

  EXPECT_EQ(stale, 0U);
  EXPECT_GE(answered, 2000U);
  EXPECT_EQ(interfaces.close_all(this), 0U);
}

TEST(Interfaces, KeepAConsumerAwayUntilItIsLetThroughAgain) {
  Interfaces interfaces;
  int provider = 0;
  int other = 0;
  sy_lease lease{};
  EXPECT_THAT(interfaces.publish(kId, &provider, &provider, in(60s)), IsEmpty());
  auto* handle = interfaces.open(this, "catalog", kId);
  auto* free = interfaces.open(&other, "peering", kId);

  ASSERT_EQ(Interfaces::acquire(handle, &lease), SY_OK);
  EXPECT_FALSE(interfaces.hold(this, kId, in(0ms))) << "it has a lease out";
  Interfaces::release(&lease);
  EXPECT_TRUE(interfaces.hold(this, kId, in(60s)));
  EXPECT_EQ(Interfaces::acquire(handle, &lease), SY_REVOKED);
  ASSERT_EQ(Interfaces::acquire(free, &lease), SY_OK);
  Interfaces::release(&lease);
  interfaces.release_hold(this, kId);
  ASSERT_EQ(Interfaces::acquire(handle, &lease), SY_OK);
  Interfaces::release(&lease);
  EXPECT_EQ(interfaces.close_all(this), 0U);
  EXPECT_EQ(interfaces.close_all(&other), 0U);
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

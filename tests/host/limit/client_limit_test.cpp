#include <host/limit/client_limit.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace switchyard::host {
namespace {

const auto kAlice = boost::asio::ip::make_address("127.0.0.1");
const auto kBob = boost::asio::ip::make_address("::1");

TEST(ClientLimit, RefusesOneClientAndServesTheOther) {
  ClientLimit limit{0, 2};
  const auto first = limit.try_acquire(kAlice);
  const auto second = limit.try_acquire(kAlice);
  const auto third = limit.try_acquire(kAlice);
  EXPECT_TRUE(first.slot);
  EXPECT_TRUE(second.slot);
  EXPECT_FALSE(third.slot);
  EXPECT_EQ(third.refusal, ClientLimit::Refusal::ClientLimit);
  EXPECT_TRUE(limit.try_acquire(kBob).slot);
}

TEST(ClientLimit, RefusesEveryoneAtCapacity) {
  ClientLimit limit{1, 0};
  const auto first = limit.try_acquire(kAlice);
  EXPECT_EQ(limit.try_acquire(kBob).refusal, ClientLimit::Refusal::AtCapacity);
}

TEST(ClientLimit, GetsASlotBackOnceHoweverOftenItMoves) {
  ClientLimit limit{0, 1};
  {
    auto answer = limit.try_acquire(kAlice);
    ClientLimit::Slot moved{std::move(answer.slot)};
    ClientLimit::Slot again;
    again = std::move(moved);
    EXPECT_EQ(limit.open(), 1U);
  }
  EXPECT_EQ(limit.open(), 0U);
  EXPECT_TRUE(limit.try_acquire(kAlice).slot);
}

TEST(ClientLimit, ChangesForThoseToCome) {
  ClientLimit limit{0, 2};
  const auto first = limit.try_acquire(kAlice);
  const auto second = limit.try_acquire(kAlice);
  limit.set(0, 1);
  EXPECT_TRUE(second.slot) << "whoever is in stays";
  EXPECT_EQ(limit.try_acquire(kAlice).refusal, ClientLimit::Refusal::ClientLimit);
  limit.set(2, 0);
  EXPECT_EQ(limit.try_acquire(kBob).refusal, ClientLimit::Refusal::AtCapacity);
  limit.set(3, 0);
  EXPECT_TRUE(limit.try_acquire(kAlice).slot);
}

TEST(ClientLimit, HasNoLimitWhenBothAreZero) {
  ClientLimit limit{0, 0};
  std::vector<ClientLimit::Slot> slots;
  for (int i = 0; i < 1'000; ++i)
    slots.push_back(limit.try_acquire(kAlice).slot);
  EXPECT_EQ(limit.open(), 1'000U);
}

} // namespace
} // namespace switchyard::host

#include <host/serve/resolver.hpp>

#include <boost/asio/post.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <barrier>
#include <future>
#include <memory>
#include <string>

namespace switchyard::host {
namespace {

using boost::asio::ip::tcp;
using testing::Contains;
using testing::IsEmpty;
using testing::Not;

const tcp::endpoint kSomewhere{boost::asio::ip::make_address("192.0.2.1"), 80};

/// A loop and its resolver, which asks `look_up`.
struct Names {
  explicit Names(Resolver::LookUp look_up)
      : resolver{std::make_unique<Resolver>(loop, std::move(look_up))} {
    loop.start();
  }

  ~Names() { end(); }

  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;

  void end() {
    loop.stop();
    resolver.reset();
  }

  /// Runs `task` on the loop and gives what it returns.
  template <class Task>
  auto on_loop(Task task) {
    std::packaged_task<decltype(task())()> packaged{std::move(task)};
    auto end = packaged.get_future();
    boost::asio::post(loop.executor(), std::move(packaged));
    return end.get();
  }

  std::uint64_t start(std::function<void(Resolver::Found)> done, const std::string& host = "name") {
    return on_loop([&] { return resolver->start(host, "80", std::move(done)); });
  }

  Loop loop{0, std::chrono::microseconds{0}};
  std::unique_ptr<Resolver> resolver;
};

/// Lookups that wait until they are told to go on.
struct Gate {
  std::promise<void> open_now;
  std::shared_future<void> open = open_now.get_future().share();
};

TEST(Resolver, GivesWhatItFinds) {
  Names names{[](const std::string& host, const std::string& port) -> Resolver::Found {
    if (host == "name" && port == "80") return std::vector{kSomewhere};
    return std::string{"no such name"};
  }};
  std::promise<Resolver::Found> found;
  std::promise<Resolver::Found> nothing;
  EXPECT_NE(names.start([&](auto answer) { found.set_value(std::move(answer)); }), 0U);
  EXPECT_NE(names.start([&](auto answer) { nothing.set_value(std::move(answer)); }, "other"), 0U);
  EXPECT_EQ(*found.get_future().get(), std::vector{kSomewhere});
  EXPECT_EQ(nothing.get_future().get().error(), "no such name");
}

// A lookup that hangs holds up nobody: all of these are in progress before one of them ends.
TEST(Resolver, LooksUpSeveralAtOnce) {
  constexpr auto kAtOnce = static_cast<std::ptrdiff_t>(Resolver::kThreadsMax);
  const auto met = std::make_shared<std::barrier<>>(kAtOnce);
  Names names{[met](auto&, auto&) -> Resolver::Found {
    met->arrive_and_wait();
    return std::vector{kSomewhere};
  }};
  std::vector<std::promise<void>> ends(Resolver::kThreadsMax);
  for (auto& end : ends)
    names.start([&end](const auto&) { end.set_value(); });
  for (auto& end : ends)
    end.get_future().wait();
}

TEST(Resolver, HasAPlaceForSoManyAndForWhatIsAbandoned) {
  Gate gate;
  const auto all_taken =
      std::make_shared<std::barrier<>>(static_cast<std::ptrdiff_t>(Resolver::kThreadsMax + 1));
  Names names{[all_taken, open = gate.open](const std::string& host, auto&) -> Resolver::Found {
    if (host == "held") all_taken->arrive_and_wait();
    open.wait();
    return std::vector{kSomewhere};
  }};
  for (std::size_t i = 0; i < Resolver::kThreadsMax; ++i)
    EXPECT_NE(names.start([](const auto&) {}, "held"), 0U);
  all_taken->arrive_and_wait();

  std::uint64_t last = 0;
  for (std::size_t i = 0; i < Resolver::kWaitingMax; ++i) {
    last = names.start([](const auto&) {});
    ASSERT_NE(last, 0U);
  }
  EXPECT_EQ(names.start([](const auto&) {}), 0U);
  names.on_loop([&] { names.resolver->abandon(last); });
  EXPECT_NE(names.start([](const auto&) {}), 0U);
  gate.open_now.set_value();
}

TEST(Resolver, DropsWhatIsFoundTooLate) {
  constexpr auto kAtOnce = static_cast<std::ptrdiff_t>(Resolver::kThreadsMax);
  Gate gate;
  const auto asked = std::make_shared<std::promise<void>>();
  const auto met = std::make_shared<std::barrier<>>(kAtOnce);
  Names names{[asked, met, open = gate.open](const std::string& host, auto&) -> Resolver::Found {
    if (host == "slow") {
      asked->set_value();
      open.wait();
    } else {
      met->arrive_and_wait();
    }
    return std::vector{kSomewhere};
  }};
  bool told = false;
  const auto slow = names.start([&](const auto&) { told = true; }, "slow");
  asked->get_future().wait();
  names.on_loop([&] { names.resolver->abandon(slow); });
  gate.open_now.set_value();

  // They need every thread, so that the slow one has handed over its answer before them.
  std::vector<std::promise<void>> ends(Resolver::kThreadsMax);
  for (auto& end : ends)
    names.start([&end](const auto&) { end.set_value(); });
  for (auto& end : ends)
    end.get_future().wait();
  EXPECT_FALSE(names.on_loop([&] { return told; }));
}

TEST(Resolver, DoesNotWaitForALookupAtItsEnd) {
  Gate gate;
  std::promise<void> asked;
  std::promise<void> left;
  // Goes with what the threads hold in common: the last of them has left then.
  std::shared_ptr<void> common{nullptr, [&](auto) { left.set_value(); }};
  {
    Names names{
        [&asked, open = gate.open, common = std::move(common)](auto&, auto&) -> Resolver::Found {
          asked.set_value();
          open.wait();
          return std::vector{kSomewhere};
        }};
    names.start([](const auto&) { FAIL(); });
    asked.get_future().wait();
  }
  gate.open_now.set_value();
  left.get_future().wait();
}

TEST(Resolver, AsksTheSystem) {
  const auto local = Resolver::ask_system("localhost", "8300");
  ASSERT_TRUE(local) << local.error();
  const auto v4 = tcp::endpoint{boost::asio::ip::address_v4::loopback(), 8300};
  EXPECT_THAT(*local, Contains(v4));
  const auto too_long = Resolver::ask_system(std::string(300, 'x'), "8300");
  ASSERT_FALSE(too_long);
  EXPECT_THAT(too_long.error(), Not(IsEmpty()));
}

} // namespace
} // namespace switchyard::host

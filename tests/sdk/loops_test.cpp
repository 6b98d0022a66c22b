#include <switchyard/loops.hpp>
#include <switchyard/metrics.hpp>
#include <switchyard/task.hpp>
#include <switchyard/threads.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tests/peer/fake_host.hpp>

#include <future>
#include <optional>
#include <stdexcept>

namespace switchyard {
namespace {

using peer::FakeHost;
using testing::ElementsAre;
using namespace std::chrono_literals;

TEST(Host, SaysWhatItDoesNotOffer) {
  FakeHost fake;
  const Host host{fake.get()};
  EXPECT_NE(host.find<sy_loops>(), nullptr);
  EXPECT_EQ(host.find<sy_dial>(), nullptr);
  try {
    static_cast<void>(host.require<sy_dial>());
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.status(), SY_UNSUPPORTED);
    EXPECT_STREQ(
        failure.what(), "this host does not offer switchyard.host.dial/1; use a newer one");
  }
}

TEST(Loops, PostToTheLoopThatIsNamed) {
  FakeHost fake{2};
  const Loops loops{Host{fake.get()}};
  EXPECT_EQ(loops.count(), 2u);
  EXPECT_EQ(loops.current(), SY_NO_LOOP);
  for (std::uint32_t loop = 0; loop < 2; ++loop) {
    std::promise<std::uint32_t> seen;
    EXPECT_FALSE(loops.post(loop, [&] { seen.set_value(loops.current()); }));
    EXPECT_EQ(seen.get_future().get(), loop);
  }
}

TEST(Loops, LogWhatAPostedFunctionThrows) {
  FakeHost fake;
  const Loops loops{Host{fake.get()}};
  EXPECT_FALSE(loops.post(0, [] { throw std::runtime_error{"posted in vain"}; }));
  fake.on_loop(0, [] {});
  EXPECT_THAT(fake.lines(), ElementsAre("posted in vain"));
}

/// A timer on loop 0 that counts.
struct Counted {
  explicit Counted(const Loops& loops) : timer{loops, &Counted::fire, this} {}

  static void fire(void* context) { ++static_cast<Counted*>(context)->times; }

  Timer timer;
  int times = 0;
};

TEST(Timer, FiresOnceWhenItIsDue) {
  FakeHost fake;
  const Loops loops{Host{fake.get()}};
  std::optional<Counted> counted;
  fake.on_loop(0, [&] {
    counted.emplace(loops);
    EXPECT_FALSE(counted->timer.start(loops.now() + 5s));
  });
  fake.advance(4'999'999'999);
  fake.on_loop(0, [&] {
    EXPECT_EQ(counted->times, 0);
    EXPECT_TRUE(counted->timer.running());
  });
  fake.advance(1);
  fake.on_loop(0, [&] {
    EXPECT_EQ(counted->times, 1);
    EXPECT_FALSE(counted->timer.running());
    counted.reset();
  });
  EXPECT_EQ(fake.timers, 0);
}

TEST(Timer, ForgetsAnEarlierStart) {
  FakeHost fake;
  const Loops loops{Host{fake.get()}};
  std::optional<Counted> counted;
  fake.on_loop(0, [&] {
    counted.emplace(loops);
    EXPECT_FALSE(counted->timer.start(loops.now() + 1s));
    EXPECT_FALSE(counted->timer.start(loops.now() + 3s));
  });
  fake.advance(2'000'000'000);
  fake.on_loop(0, [&] { EXPECT_EQ(counted->times, 0); });
  fake.advance(1'000'000'000);
  fake.on_loop(0, [&] {
    EXPECT_EQ(counted->times, 1);
    EXPECT_FALSE(counted->timer.start(loops.now() + 1s));
    counted.reset(); // while it runs
  });
  EXPECT_EQ(fake.timers, 0);
}

Task<> wait(Loops loops, std::promise<void>& done) {
  const auto error = co_await Until{loops, loops.now() + 1s};
  EXPECT_FALSE(error);
  done.set_value();
}

TEST(Until, IsAwaitedAndLeft) {
  FakeHost fake;
  const Loops loops{Host{fake.get()}};
  std::promise<void> done;
  std::promise<void> never;
  Task<> task;
  Task<> left;
  fake.on_loop(0, [&] {
    task = wait(loops, done);
    task.start([](void*, std::exception_ptr) {}, nullptr);
    left = wait(loops, never);
    left.start([](void*, std::exception_ptr) {}, nullptr);
    left = {};
    EXPECT_EQ(fake.timers, 1);
  });
  fake.advance(1'000'000'000);
  done.get_future().wait();
  fake.on_loop(0, [&] { task = {}; });
  EXPECT_EQ(fake.timers, 0);
}

TEST(Thread, IsJoinedByItsOwner) {
  FakeHost fake;
  const Host host{fake.get()};
  std::atomic<int> ran = 0;
  {
    Thread first{host, "first", [&] { ++ran; }};
    Thread second{std::move(first)};
    Thread third{host, "third", [&] { throw std::runtime_error{"lost thread"}; }};
    third = std::move(second);
    EXPECT_EQ(fake.threads, 1);
  }
  EXPECT_EQ(ran, 1);
  EXPECT_EQ(fake.threads, 0);
  EXPECT_THAT(fake.lines(), ElementsAre("lost thread"));
}

TEST(Metrics, AreAddedTo) {
  FakeHost fake;
  const Host host{fake.get()};
  const Counter calls{host, "calls_total", "Calls"};
  const Gauge open{host, "open", "Open now"};
  calls.add();
  calls.add(2);
  open.add(5);
  open.add(-1);
  EXPECT_EQ(fake.metric("calls_total"), 3);
  EXPECT_EQ(fake.metric("open"), 4);
  EXPECT_THROW((Counter{host, "calls_total", "Again"}), Failure);
}

} // namespace
} // namespace switchyard

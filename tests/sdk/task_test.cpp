#include <switchyard/task.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace switchyard {
namespace {

/// Lets a test say when a coroutine goes on.
struct Gate {
  std::coroutine_handle<> waiting;

  bool await_ready() const noexcept { return false; }

  void await_suspend(std::coroutine_handle<> handle) noexcept { waiting = handle; }

  void await_resume() const noexcept {}
};

struct End {
  int times = 0;
  std::exception_ptr thrown;

  static void reach(void* context, std::exception_ptr thrown) {
    auto& self = *static_cast<End*>(context);
    ++self.times;
    self.thrown = std::move(thrown);
  }
};

Task<std::string> word(Gate& gate, std::string text) {
  co_await gate;
  co_return text + "!";
}

Task<> speak(Gate& gate, std::string& said) {
  said += co_await word(gate, "hello");
}

Task<int> fail() {
  throw std::runtime_error{"no"};
  co_return 1;
}

Task<> hold(Gate& gate, std::shared_ptr<int> held) {
  co_await gate;
  *held += 1;
}

TEST(Task, BeginsWhenItIsStarted) {
  Gate gate;
  std::string said;
  End end;
  auto task = speak(gate, said);
  EXPECT_FALSE(gate.waiting);
  task.start(&End::reach, &end);
  ASSERT_TRUE(gate.waiting);
  EXPECT_EQ(end.times, 0);
  gate.waiting.resume();
  EXPECT_EQ(said, "hello!");
  EXPECT_EQ(end.times, 1);
  EXPECT_FALSE(end.thrown);
}

TEST(Task, PassesAnExceptionToWhoAwaits) {
  bool caught = false;
  auto outer = [](bool& seen) -> Task<> {
    try {
      static_cast<void>(co_await fail());
    } catch (const std::runtime_error&) {
      seen = true;
    }
  };
  auto task = outer(caught);
  End end;
  task.start(&End::reach, &end);
  EXPECT_TRUE(caught);
  EXPECT_EQ(end.times, 1);
}

TEST(Task, ReportsAnExceptionAtItsEnd) {
  auto outer = []() -> Task<> { static_cast<void>(co_await fail()); };
  auto task = outer();
  End end;
  task.start(&End::reach, &end);
  ASSERT_TRUE(end.thrown);
  EXPECT_THROW(std::rethrow_exception(end.thrown), std::runtime_error);
}

TEST(Task, EndsWhereItWaitsWhenItIsDestroyed) {
  Gate gate;
  const auto held = std::make_shared<int>(0);
  {
    auto task = hold(gate, held);
    End end;
    task.start(&End::reach, &end);
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(*held, 0);
}

TEST(Task, MayBeDestroyedFromItsEnd) {
  Gate gate;
  const auto held = std::make_shared<int>(0);
  auto task = std::make_unique<Task<>>(hold(gate, held));
  task->start(
      [](void* owner, std::exception_ptr) {
        static_cast<std::unique_ptr<Task<>>*>(owner)->reset();
      },
      &task);
  gate.waiting.resume();
  EXPECT_EQ(task, nullptr);
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(*held, 1);
}

Task<int> count_down(int from) {
  if (from == 0) co_return 0;
  co_return 1 + co_await count_down(from - 1);
}

TEST(Task, MovesItsFrame) {
  Gate gate;
  const auto held = std::make_shared<int>(0);
  auto first = hold(gate, held);
  Task<> second;
  second = std::move(first);
  End end;
  second.start(&End::reach, &end);
  gate.waiting.resume();
  EXPECT_EQ(*held, 1);
}

TEST(Task, AwaitsItself) {
  auto outer = [](int& depth) -> Task<> { depth = co_await count_down(100); };
  int depth = 0;
  auto task = outer(depth);
  End end;
  task.start(&End::reach, &end);
  EXPECT_EQ(depth, 100);
}

} // namespace
} // namespace switchyard

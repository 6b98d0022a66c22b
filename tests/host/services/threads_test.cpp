#include "instance_fixture.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <future>
#include <latch>
#include <memory>
#include <pthread.h>
#include <signal.h>

namespace switchyard::host {
namespace {

using namespace std::chrono_literals;

std::chrono::steady_clock::time_point now() {
  return std::chrono::steady_clock::now();
}

struct Seen {
  std::array<char, 16> name{};
  bool terminate_blocked = false;
};

TEST(Threads, RunNamedAndWithoutTheSignalsOfTheMainThread) {
  Threads threads;
  Seen seen;
  sy_thread* thread = nullptr;
  const auto look = [](void* context) {
    auto& into = *static_cast<Seen*>(context);
    pthread_getname_np(pthread_self(), into.name.data(), into.name.size());
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    into.terminate_blocked = sigismember(&blocked, SIGTERM) == 1;
  };

  ASSERT_EQ(threads.spawn(text("a name of over 15 bytes"), look, &seen, &thread), SY_OK);
  threads.join(thread);

  EXPECT_STREQ(seen.name.data(), "a name of over ");
  EXPECT_TRUE(seen.terminate_blocked);
  EXPECT_EQ(threads.reap(now()), 0U);

  sigset_t blocked;
  pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
  EXPECT_EQ(sigismember(&blocked, SIGTERM), 0) << "the spawning thread has its own mask back";
}

TEST(Threads, KnowThemselvesBeforeTheyRun) {
  struct Self {
    sy_thread* thread = nullptr;
    std::promise<sy_thread*> seen;
  } self;

  Threads threads;
  const auto look = [](void* context) {
    auto& of = *static_cast<Self*>(context);
    of.seen.set_value(of.thread);
  };

  ASSERT_EQ(threads.spawn(text("self"), look, &self, &self.thread), SY_OK);
  EXPECT_EQ(self.seen.get_future().get(), self.thread);
  threads.join(self.thread);
}

TEST(Threads, AreBoundedInNumber) {
  Threads threads;
  std::latch go{1};
  const auto wait = [](void* context) { static_cast<std::latch*>(context)->wait(); };
  std::vector<sy_thread*> spawned(kThreadsMax);
  for (auto& thread : spawned) {
    ASSERT_EQ(threads.spawn(text("waits"), wait, &go, &thread), SY_OK);
  }

  sy_thread* one_more = nullptr;
  EXPECT_EQ(threads.spawn(text("one more"), wait, &go, &one_more), SY_LIMIT);
  EXPECT_EQ(one_more, nullptr);

  go.count_down();
  for (auto* thread : spawned)
    threads.join(thread);
  EXPECT_EQ(threads.spawn(text("again"), wait, &go, &one_more), SY_OK);
  threads.join(one_more);
}

TEST(Threads, CountWhoStillRunsWhenTheyAreReaped) {
  struct Gate {
    std::latch running{1};
    std::latch go{1};
    std::latch gone{1};
  } gate;

  Threads threads;
  sy_thread* thread = nullptr;
  const auto wait = [](void* context) {
    auto& at = *static_cast<Gate*>(context);
    at.running.count_down();
    at.go.wait();
    at.gone.count_down();
  };

  ASSERT_EQ(threads.spawn(text("stays"), wait, &gate, &thread), SY_OK);
  gate.running.wait();
  EXPECT_EQ(threads.reap(now() + 60s), 1U);
  gate.go.count_down();
  gate.gone.wait();
}

// A destructor of something thread_local runs after the thread's function, and may hang there.
TEST(Threads, CountAsRunningWhoseThreadLocalObjectsDoNotEnd) {
  struct Hang {
    std::latch begun{1};
    std::latch go{1};
    std::latch gone{1};
  };

  struct Local {
    ~Local() {
      hang->begun.count_down();
      hang->go.wait();
      hang->gone.count_down();
    }

    std::shared_ptr<Hang> hang;
  };

  Threads threads;
  auto hang = std::make_shared<Hang>();
  sy_thread* thread = nullptr;
  const auto run = [](void* context) {
    static thread_local Local local;
    local.hang = *static_cast<std::shared_ptr<Hang>*>(context);
  };

  ASSERT_EQ(threads.spawn(text("hangs"), run, &hang, &thread), SY_OK);
  hang->begun.wait();
  EXPECT_EQ(threads.reap(now() + 1ms), 1U);
  hang->go.count_down();
  hang->gone.wait();
}

TEST(Threads, BeginNoMoreOnceTheInstanceHasStopped) {
  LoggedServices process;
  InstanceServices instance{process.services, {}, "echo", {}};
  const auto& table = threads_table();
  sy_thread* thread = nullptr;
  const auto nothing = [](void*) {};

  EXPECT_EQ(table.spawn(&instance.host, text("t"), nullptr, nullptr, &thread), SY_INVALID);
  ASSERT_EQ(table.spawn(&instance.host, text("t"), nothing, nullptr, &thread), SY_OK);
  table.join(&instance.host, thread);
  instance.phase = ServicePhase::Stopped;
  EXPECT_EQ(table.spawn(&instance.host, text("t"), nothing, nullptr, &thread), SY_CANCELLED);
}

} // namespace
} // namespace switchyard::host

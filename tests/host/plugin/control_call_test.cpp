#include <host/plugin/control_call.hpp>
#include <host/services/failure.hpp>

#include <gtest/gtest.h>

#include <latch>
#include <pthread.h>
#include <signal.h>
#include <stdexcept>
#include <thread>

namespace switchyard::host {
namespace {

using namespace std::chrono_literals;

TEST(ControlThread, IsOneThreadForAllCalls) {
  ControlThread control;
  std::thread::id first;
  std::thread::id second;
  bool terminate_blocked = false;

  ASSERT_TRUE(control.run(60s, [&] { first = std::this_thread::get_id(); }));
  ASSERT_TRUE(control.run(60s, [&] {
    second = std::this_thread::get_id();
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    terminate_blocked = sigismember(&blocked, SIGTERM) == 1;
  }));
  EXPECT_EQ(first, second);
  EXPECT_NE(first, std::this_thread::get_id());
  EXPECT_TRUE(terminate_blocked);
}

TEST(ControlThread, EndsWhatIsLocalToItWhenItIsRenewed) {
  static std::atomic<int> ended{0};

  struct Local {
    ~Local() { ++ended; }
  };

  ControlThread control;

  ASSERT_TRUE(control.run(60s, [] { static thread_local Local local; }));
  EXPECT_EQ(ended, 0);
  EXPECT_TRUE(control.renew(60s));
  EXPECT_EQ(ended, 1);
  ASSERT_TRUE(control.run(60s, [] { static thread_local Local local; }));
}

// A plugin's destructor of something thread_local runs when the thread ends, and may hang there.
TEST(ControlThread, IsLeftBehindWhenItDoesNotEnd) {
  struct Hang {
    std::latch go{1};
    std::latch gone{1};
  };

  struct Local {
    ~Local() {
      hang->go.wait();
      hang->gone.count_down();
    }

    std::shared_ptr<Hang> hang;
  };

  const auto hang = std::make_shared<Hang>();
  ControlThread control;
  ASSERT_TRUE(control.run(60s, [hang] {
    static thread_local Local local;
    local.hang = hang;
  }));
  EXPECT_FALSE(control.renew(1ms));
  EXPECT_EQ(control.given_up(), 1U);
  bool ran = false;
  EXPECT_TRUE(control.run(60s, [&] { ran = true; }));
  EXPECT_TRUE(ran);
  EXPECT_TRUE(control.renew(60s));
  EXPECT_EQ(control.given_up(), 1U);
  hang->go.count_down();
  hang->gone.wait();
}

TEST(ControlThread, IsReplacedWhenACallHangs) {
  struct Hang {
    std::latch go{1};
    std::latch gone{1};
  };

  const auto hang = std::make_shared<Hang>();
  ControlThread control;

  EXPECT_FALSE(control.run(1ms, [hang] {
    hang->go.wait();
    hang->gone.count_down();
  }));
  bool ran = false;
  EXPECT_TRUE(control.run(60s, [&] { ran = true; }));
  EXPECT_TRUE(ran);
  hang->go.count_down();
  hang->gone.wait();
}

TEST(ControlCall, TurnsEveryEndIntoASentence) {
  ControlThread control;
  const auto call = [&](std::function<sy_status(sy_error*)> body) {
    const auto called = control_call(control, 60s, "echo", "init()", std::move(body));
    return called ? std::string{"fine"} : called.error().text;
  };

  EXPECT_EQ(call([](sy_error*) { return SY_OK; }), "fine");
  EXPECT_EQ(
      call([](sy_error* error) { return fail(error, SY_LIMIT, "disk full"); }),
      "plugin echo: init() failed: disk full");
  EXPECT_EQ(
      call([](sy_error*) { return SY_LIMIT; }), "plugin echo: init() failed: it does not say why");
  EXPECT_EQ(
      call([](sy_error* error) {
        std::memset(error->text, 'x', sizeof(error->text)); // not ended
        return SY_LIMIT;
      }),
      "plugin echo: init() failed: " + std::string(SY_ERROR_TEXT_SIZE, 'x'));
  EXPECT_EQ(
      call([](sy_error*) -> sy_status { throw std::runtime_error{"oops"}; }),
      "plugin echo: an exception left init(): oops");
  EXPECT_EQ(
      call([](sy_error*) -> sy_status { throw 7; }),
      "plugin echo: an exception left init(): an exception that is no std::exception");
}

TEST(ControlCall, HasALimit) {
  const auto go = std::make_shared<std::latch>(1);
  const auto gone = std::make_shared<std::latch>(1);
  ControlThread control;
  const auto called = control_call(control, 1ms, "echo", "stop()", [go, gone](sy_error*) {
    go->wait();
    gone->count_down();
    return SY_OK;
  });
  ASSERT_FALSE(called);
  EXPECT_EQ(called.error().code, RefusalCode::CallHung);
  EXPECT_EQ(
      called.error().text,
      "plugin echo: stop() did not return within 1 ms: its thread is given up and its code stays "
      "in "
      "memory");
  go->count_down();
  gone->wait();
}

TEST(DurationText, IsShort) {
  EXPECT_EQ(duration_text(5s), "5 s");
  EXPECT_EQ(duration_text(300ms), "300 ms");
  EXPECT_EQ(duration_text(1500ms), "1500 ms");
}

} // namespace
} // namespace switchyard::host

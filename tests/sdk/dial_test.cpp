#include <switchyard/dial.hpp>
#include <switchyard/task.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tests/peer/fake_host.hpp>
#include <tests/peer/socket_pair.hpp>

#include <optional>
#include <string>

namespace switchyard {
namespace {

using namespace peer;
using testing::ElementsAre;

/// The host's dial service; the test says how each dial ends.
struct Dialler {
  static inline sy_status accepts = SY_OK;
  static inline std::string address;
  static inline sy_dial_done done = nullptr;
  static inline void* context = nullptr;
  static inline void* cancelled = nullptr;

  static constexpr sy_dial kDial{
      sizeof(sy_dial),
      0,
      [](const sy_host*, const sy_dial_options* options, sy_dial_done done_, void* context_)
          -> sy_status {
        EXPECT_EQ(options->struct_size, sizeof *options);
        address = view(options->address);
        done = done_;
        context = context_;
        return accepts;
      },
      [](const sy_host*, void* context_) { cancelled = context_; }};
};

Task<> dial(Host host, std::optional<Dialled>& dialled) {
  sy_dial_options options{};
  options.address = to_c(std::string_view{"127.0.0.1:8300"});
  options.tag = SY_DIAL_NO_TAG;
  dialled = co_await Dial{host, options};
}

class DialTest : public testing::Test {
protected:
  void SetUp() override {
    Dialler::accepts = SY_OK;
    fake.offer(SY_DIAL, &Dialler::kDial);
  }

  void begin() {
    fake.on_loop(0, [&] {
      task = dial(Host{fake.get()}, dialled);
      task.start([](void*, std::exception_ptr) {}, nullptr);
    });
  }

  void TearDown() override {
    fake.on_loop(0, [&] {
      task = {};
      dialled.reset();
    });
    EXPECT_EQ(fake.connections, 0);
  }

  FakeHost fake;
  std::optional<Dialled> dialled;
  Task<> task;
};

TEST_F(DialTest, GivesAConnection) {
  begin();
  EXPECT_EQ(Dialler::address, "127.0.0.1:8300");
  EXPECT_FALSE(dialled);
  auto [ours, theirs] = socket_pair();
  fake.on_loop(0, [&, descriptor = theirs.release()] {
    Dialler::done(Dialler::context, SY_OK, fake.connect(descriptor), nullptr);
    ASSERT_TRUE(dialled);
    EXPECT_FALSE(dialled->error);
    EXPECT_TRUE(dialled->connection);
  });
}

TEST_F(DialTest, SaysWhyThereIsNone) {
  begin();
  fake.on_loop(0, [&] {
    auto error = make_error();
    fill(&error, SY_REFUSED, "cannot connect to 127.0.0.1:8300");
    Dialler::done(Dialler::context, SY_REFUSED, nullptr, &error);
    ASSERT_TRUE(dialled);
    EXPECT_EQ(dialled->error, Status::Refused);
    EXPECT_EQ(dialled->text, "cannot connect to 127.0.0.1:8300");
    EXPECT_FALSE(dialled->connection);
  });
}

TEST_F(DialTest, EndsAtOnceWhenItIsNotTaken) {
  Dialler::accepts = SY_CANCELLED;
  begin();
  ASSERT_TRUE(dialled);
  EXPECT_EQ(dialled->error, Status::Cancelled);
}

TEST_F(DialTest, CancelsWhatNobodyWaitsForAnyMore) {
  begin();
  auto [ours, theirs] = socket_pair();
  Dialler::cancelled = nullptr;
  fake.on_loop(0, [&, descriptor = theirs.release()] {
    task = {};
    EXPECT_EQ(Dialler::cancelled, Dialler::context);
    // It was on its way.
    Dialler::done(Dialler::context, SY_OK, fake.connect(descriptor), nullptr);
  });
  EXPECT_FALSE(dialled);
  EXPECT_THAT(fake.closed(1), ElementsAre(SY_CLOSE_FINISHED));
}

TEST(Dial, FailsWhereTheHostDoesNotDial) {
  FakeHost fake;
  std::optional<Dialled> dialled;
  auto task = dial(Host{fake.get()}, dialled);
  task.start([](void*, std::exception_ptr) {}, nullptr);
  ASSERT_TRUE(dialled);
  EXPECT_EQ(dialled->error, Status::Unsupported);
}

} // namespace
} // namespace switchyard

#include <switchyard/raft/consensus.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tests/peer/fake_host.hpp>

#include <cstring>

namespace switchyard {
namespace {

using peer::FakeHost;

/// What a RaftMachine registers, and as what.
sy_raft_machine registered{};
std::string registered_as;
int removed = 0;

const sy_journal kJournal{
    sizeof(sy_journal),
    0,
    [](const sy_host*,
       const char* id,
       sy_string key,
       const void* entry,
       std::size_t size,
       sy_registration** registration,
       sy_error*) -> sy_status {
      EXPECT_STREQ(id, SY_RAFT_CONSENSUS);
      EXPECT_EQ(size, sizeof registered);
      std::memcpy(&registered, entry, sizeof registered);
      registered_as = view(key);
      *registration = nullptr;
      return SY_OK;
    },
    [](sy_registration*) { ++removed; },
    nullptr,
    nullptr};

std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span{text});
}

/// Joins what it is told.
struct Joined {
  using Registration = RaftMachine<Joined>;

  [[nodiscard]] std::uint64_t applied() const { return last; }

  std::vector<std::string> apply(std::span<const sy_raft_entry> entries) {
    std::vector<std::string> results;
    for (const auto& entry : entries) {
      if (entry.data.size == 0) throw Failure{SY_INVALID, "nothing to join"};
      state += text(view(entry.data));
      results.push_back(state);
      last = entry.index;
    }
    return results;
  }

  std::function<void(Registration::Sink)> capture() {
    return [frozen = state](const Registration::Sink& sink) {
      sink(bytes(frozen));
      sink(bytes("."));
    };
  }

  void restore(std::uint64_t index, const Registration::Source& source) {
    beside = std::to_string(index) + ":";
    for (auto part = source(); !part.empty(); part = source())
      beside += text(part);
  }

  void restored(bool keep) {
    if (keep) state = beside;
  }

  void placed(bool is) { stands = is; }

  std::string state;
  std::string beside;
  std::uint64_t last = 0;
  bool stands = false;
};

class SdkRaftMachine : public testing::Test {
protected:
  SdkRaftMachine() { host.offer(SY_JOURNAL, &kJournal); }

  FakeHost host;
  Joined joined;
};

TEST_F(SdkRaftMachine, IsRegisteredAsLongAsItLives) {
  removed = 0;
  {
    const RaftMachine<Joined> machine{Host{host.get()}, joined, SY_RAFT_PERSISTENT};
    EXPECT_EQ(registered_as, "machine");
    EXPECT_EQ(registered.flags, SY_RAFT_PERSISTENT);
    EXPECT_EQ(registered.leadership, nullptr);
    EXPECT_EQ(removed, 0);
  }
  EXPECT_EQ(removed, 1);
}

TEST_F(SdkRaftMachine, AppliesAndSaysWhyNot) {
  const RaftMachine<Joined> machine{Host{host.get()}, joined};
  std::vector<std::string> results(2);
  const sy_raft_results taker{
      sizeof taker, 0, &results, [](const sy_raft_results* self, std::size_t at, sy_bytes result) {
        static_cast<std::vector<std::string>*>(self->provider_data)->at(at) = text(view(result));
      }};
  const sy_raft_entry entries[] = {{4, 1, {"a", 1}, {}}, {6, 1, {"b", 1}, {}}};
  auto error = make_error();
  EXPECT_EQ(registered.apply(registered.context, entries, 2, &taker, &error), SY_OK);
  EXPECT_THAT(results, testing::ElementsAre("a", "ab"));
  EXPECT_EQ(registered.applied(registered.context), 6U);
  registered.placed(registered.context, 1);
  EXPECT_TRUE(joined.stands);

  const sy_raft_entry empty{7, 1, {}, {}};
  EXPECT_EQ(registered.apply(registered.context, &empty, 1, &taker, &error), SY_INVALID);
  EXPECT_STREQ(static_cast<const char*>(error.text), "nothing to join");
}

TEST_F(SdkRaftMachine, StreamsItsSnapshotsAndGivesUpWhenTold) {
  const RaftMachine<Joined> machine{Host{host.get()}, joined};
  joined.state = "abc";
  auto error = make_error();
  void* captured = nullptr;
  ASSERT_EQ(registered.capture(registered.context, &captured, &error), SY_OK);
  joined.state += "later";

  std::string written;
  const sy_raft_sink sink{sizeof sink, 0, &written, [](const sy_raft_sink* self, sy_bytes part) {
                            *static_cast<std::string*>(self->provider_data) += text(view(part));
                            return SY_OK;
                          }};
  EXPECT_EQ(registered.write(registered.context, captured, &sink, &error), SY_OK);
  EXPECT_EQ(written, "abc.");
  const sy_raft_sink closed{
      sizeof closed, 0, nullptr, [](const sy_raft_sink*, sy_bytes) { return SY_CANCELLED; }};
  EXPECT_EQ(registered.write(registered.context, captured, &closed, &error), SY_CANCELLED);
  registered.release(registered.context, captured);

  std::vector<std::string> parts{"", "f", "de"};
  const sy_raft_source source{
      sizeof source, 0, &parts, [](const sy_raft_source* self, sy_bytes* part) {
        auto& left = *static_cast<std::vector<std::string>*>(self->provider_data);
        static std::string given;
        given = left.back();
        left.pop_back();
        *part = {given.data(), given.size()};
        return SY_OK;
      }};
  EXPECT_EQ(registered.restore(registered.context, 9, &source, &error), SY_OK);
  EXPECT_EQ(joined.state, "abclater");
  registered.restored(registered.context, 1);
  EXPECT_EQ(joined.state, "9:def");
}

} // namespace
} // namespace switchyard

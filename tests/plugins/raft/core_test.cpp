#include <plugins/raft/core/core.hpp>

#include <gtest/gtest.h>

namespace switchyard::raft {
namespace {

struct AnySize final : EntrySizes {
  std::uint32_t fitting(std::uint64_t, std::uint32_t count, std::uint64_t) const override {
    return count;
  }
};

constexpr Time kBegin = Time{std::chrono::hours{1}};

Settings settings_of_s1() {
  Settings settings;
  settings.id = "s1";
  settings.address = "s1:1";
  return settings;
}

/// A core that leads alone, of whom the driver has done everything so far.
class RaftCore : public testing::Test {
protected:
  void SetUp() override {
    core.advance(core.next_deadline());
    settle();
    ASSERT_EQ(core.role(), Role::Leader);
    ASSERT_EQ(core.commit_index(), core.log().last_index());
  }

  static Durable founded() {
    Durable durable;
    durable.ballot = {1, {}};
    durable.log.append(1);
    durable.configurations.push_back({1, {{{raftwire::Suffrage::Voter, "s1", "s1:1"}}}});
    return durable;
  }

  /// Takes everything, and makes it durable at once.
  std::vector<Send> settle() {
    std::vector<Send> sent;
    for (auto actions = core.take_actions(); !actions.empty(); actions = core.take_actions()) {
      for (auto& action : actions) {
        if (auto* send = std::get_if<Send>(&action)) sent.push_back(std::move(*send));
        if (const auto* write = std::get_if<SaveBallot>(&action)) core.persisted(write->write, now);
        if (const auto* write = std::get_if<Append>(&action)) core.persisted(write->write, now);
      }
    }
    return sent;
  }

  AnySize sizes;
  Time now = kBegin;
  Core core{settings_of_s1(), founded(), sizes, [] { return std::uint64_t{0}; }, kBegin};
};

/// Several events may come before the driver asks what to do.
TEST_F(RaftCore, SendsANewServerNothingThatTheDriverHasNotGotYet) {
  now = core.next_deadline();
  core.change(1, {ServerChange::Kind::AddNonvoter, "s2", "s2:1", 0}, now);
  core.advance(now);
  std::size_t requests = 0;
  for (const auto& send : settle()) {
    const auto* entries = std::get_if<Replicate>(&send.message);
    if (entries == nullptr) continue;
    ++requests;
    EXPECT_LE(entries->previous_index + entries->count, core.log().last_index());
  }
  EXPECT_GT(requests, 0U);
}

/// A core that follows in a cluster of three, after a version that knew more than the disk.
class RaftSuccessor : public testing::Test {
protected:
  static Durable handed_over() {
    Durable durable;
    durable.ballot = {4, "s1:1"};
    for (int i = 0; i < 5; ++i)
      durable.log.append(4);
    raftwire::Configuration members;
    for (const auto* name : {"s1", "s2", "s3"})
      members.servers.push_back({raftwire::Suffrage::Voter, name, std::string{name} + ":1"});
    durable.configurations.push_back({1, members});
    durable.commit_index = 3;
    return durable;
  }

  AnySize sizes;
  Core core{settings_of_s1(), handed_over(), sizes, [] { return std::uint64_t{0}; }, kBegin};
};

TEST_F(RaftSuccessor, KnowsWhatIsCommittedAndAppliesNothingTwice) {
  EXPECT_EQ(core.commit_index(), 3U);
  EXPECT_EQ(core.configurations().committed().index, 1U);
  EXPECT_TRUE(core.take_actions().empty());
}

class RaftFollower : public RaftSuccessor {
protected:
  static raftwire::Header header_of(std::string_view id, std::string_view address) {
    return {raftwire::kProtocolVersion, raftwire::HeaderForm::New, id, address};
  }

  void hear(const raftwire::Request& request, Time now) { core.receive(++requests, request, now); }

  void hear_leader(Time now) {
    hear(raftwire::AppendEntriesRequest{header_of("s2", "s2:1"), 4, "s2:1", 0, 0, {}, 0}, now);
    static_cast<void>(core.take_actions());
  }

  /// Whether s3, whose log is as long, would have its vote.
  bool would_vote(Time now) {
    hear(raftwire::PreVoteRequest{header_of("s3", "s3:1"), 5, 5, 4}, now);
    bool granted = false;
    for (const auto& action : core.take_actions()) {
      if (const auto* answer = std::get_if<Answer>(&action)) {
        granted = std::get<raftwire::PreVoteAnswer>(answer->body).granted;
      }
    }
    return granted;
  }

  const Duration timeout = settings_of_s1().heartbeat_timeout;
  RequestId requests = 0;
};

TEST_F(RaftFollower, RefusesOthersWhileItHearsALeader) {
  hear_leader(kBegin);
  EXPECT_FALSE(would_vote(kBegin + timeout - Duration{1}));
  EXPECT_TRUE(would_vote(kBegin + timeout)); // though its own timer has not fired
  hear_leader(kBegin + timeout);
  EXPECT_FALSE(would_vote(kBegin + timeout));
}

TEST_F(RaftFollower, CountsTheTimeOutFromWhenItHasHeardLast) {
  ASSERT_EQ(core.next_deadline(), kBegin + timeout); // chance adds nothing here
  hear_leader(kBegin + timeout / 4);
  core.advance(core.next_deadline());
  EXPECT_EQ(core.role(), Role::Follower);
  EXPECT_EQ(core.next_deadline(), kBegin + timeout / 4 + timeout);
  core.advance(core.next_deadline());
  EXPECT_EQ(core.role(), Role::Candidate);
}

/// What it answers to what no peer may send, and whether it says so aloud.
struct Reaction {
  std::string error;
  bool violation = false;
};

Reaction reaction_of(Core& core, const raftwire::Request& request) {
  Reaction reaction;
  core.receive(99, request, kBegin);
  for (const auto& action : core.take_actions()) {
    if (const auto* answer = std::get_if<Answer>(&action)) reaction.error = answer->error;
    reaction.violation = reaction.violation || std::holds_alternative<Violation>(action);
  }
  return reaction;
}

TEST_F(RaftFollower, RefusesATermFarAhead) {
  const auto far = core.term() + kTermJumpMax + 1;
  const auto from = header_of("s2", "s2:1");
  const raftwire::Request requests_of_it[] = {
      raftwire::AppendEntriesRequest{from, far, "s2:1", 0, 0, {}, 0},
      raftwire::RequestVoteRequest{from, far, "s2:1", 9, far - 1, true},
      raftwire::PreVoteRequest{from, far, 9, far - 1},
      raftwire::InstallSnapshotRequest{from, 1, far, "s2:1", 9, far - 1, {}, {}, 1, 0}};
  for (const auto& request : requests_of_it) {
    EXPECT_EQ(reaction_of(core, request).error, "term out of range") << request.index();
    EXPECT_EQ(core.term(), 4U);
  }
}

TEST_F(RaftFollower, TruncatesNothingThatIsCommitted) {
  const std::vector<raftwire::Entry> other{{3, 5, raftwire::EntryType::Command, "other", {}}};
  const auto reaction = reaction_of(
      core, raftwire::AppendEntriesRequest{header_of("s2", "s2:1"), 5, "s2:1", 2, 4, other, 0});
  EXPECT_TRUE(reaction.violation);
  EXPECT_EQ(reaction.error, "committed entry 3 contradicted");
  EXPECT_EQ(core.log().last_index(), 5U);
  EXPECT_EQ(core.log().term(3), 4U);
}

TEST_F(RaftCore, StepsDownLoudlyBesideAnotherLeaderOfItsTerm) {
  core.change(1, {ServerChange::Kind::AddNonvoter, "s2", "s2:1", 0}, now);
  settle();
  const auto term = core.term();
  const raftwire::Header from{raftwire::kProtocolVersion, raftwire::HeaderForm::New, "s2", "s2:1"};
  const auto reaction =
      reaction_of(core, raftwire::AppendEntriesRequest{from, term, "s2:1", 0, 0, {}, 0});
  EXPECT_TRUE(reaction.violation);
  EXPECT_EQ(reaction.error, "another leader in term " + std::to_string(term));
  EXPECT_EQ(core.role(), Role::Follower);
  EXPECT_EQ(core.term(), term);
}

TEST_F(RaftCore, TakesNothingFromStrangersWhereItVotesAlone) {
  const auto term = core.term();
  const auto last = core.log().last_index();
  const raftwire::Header from{raftwire::kProtocolVersion, raftwire::HeaderForm::New, "s9", "s9:1"};
  const raftwire::Header old{raftwire::kProtocolVersion, raftwire::HeaderForm::Old, {}, {}};
  const std::vector<raftwire::Entry> other{
      {1, term + 1, raftwire::EntryType::Command, "other", {}}};
  const raftwire::Request requests[] = {
      raftwire::AppendEntriesRequest{from, term + 1, "s9:1", 0, 0, other, 1},
      raftwire::AppendEntriesRequest{old, term + 1, "s9:1", 0, 0, other, 1},
      raftwire::RequestVoteRequest{from, term + 1, "s9:1", 9, term + 1, true},
      raftwire::RequestVoteRequest{old, term + 1, "s9:1", 9, term + 1, true},
      raftwire::PreVoteRequest{from, term + 1, 9, term + 1},
      raftwire::InstallSnapshotRequest{from, 1, term + 1, "s9:1", 9, term, {}, {}, 1, 0},
      raftwire::TimeoutNowRequest{from}};
  for (const auto& request : requests) {
    EXPECT_EQ(reaction_of(core, request).error, "not a member of this cluster") << request.index();
    EXPECT_EQ(core.role(), Role::Leader);
    EXPECT_EQ(core.term(), term);
    EXPECT_EQ(core.log().last_index(), last);
  }
}

TEST_F(RaftSuccessor, CampaignsInALaterTermOnceThatIsDurable) {
  core.campaign(kBegin);
  EXPECT_EQ(core.role(), Role::Candidate);
  EXPECT_EQ(core.term(), 5U);
  const auto actions = core.take_actions();
  ASSERT_EQ(actions.size(), 1U);
  const auto* write = std::get_if<SaveBallot>(actions.data());
  ASSERT_NE(write, nullptr);
  EXPECT_EQ(write->ballot, (Ballot{5, "s1:1"}));

  core.persisted(write->write, kBegin);
  std::size_t asked = 0;
  for (const auto& action : core.take_actions()) {
    const auto* send = std::get_if<Send>(&action);
    ASSERT_NE(send, nullptr);
    const auto& vote = std::get<raftwire::RequestVoteRequest>(send->message);
    EXPECT_FALSE(vote.leadership_transfer); // the others know no other leader than this one
    ++asked;
  }
  EXPECT_EQ(asked, 2U);
}

TEST_F(RaftSuccessor, ForgetsWhatWillHaveNoAnswer) {
  core.campaign(kBegin);
  auto actions = core.take_actions();
  core.persisted(std::get<SaveBallot>(actions.at(0)).write, kBegin);
  actions = core.take_actions();
  core.failed_all(kBegin);
  EXPECT_EQ(core.role(), Role::Candidate); // the next round is due as before
  core.advance(core.next_deadline());
  EXPECT_EQ(core.term(), 6U);
}

} // namespace
} // namespace switchyard::raft

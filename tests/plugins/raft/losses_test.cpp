// Two ways in which a library of Raft has lost acknowledged writes, message by message: an answer
// that tells of the log's end taken for a proof of what is in it, and an entry of an old term
// committed because a majority has it. Source: Raft's dissertation, §3.6.2 and figure 3.7; libraft
// 0.15.0.
#include <plugins/raft/core/core.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <string>

namespace switchyard::raft {
namespace {

using testing::Contains;
using testing::Field;
using testing::Not;

struct AnySize final : EntrySizes {
  std::uint32_t fitting(std::uint64_t, std::uint32_t count, std::uint64_t) const override {
    return count;
  }
};

/// One server: its core, a disk that is always fast, and what it has sent.
class Peer {
public:
  Peer(const std::string& id, std::size_t servers) : id_{id} {
    disk_.ballot = {1, {}};
    raftwire::Configuration members;
    for (std::size_t number = 1; number <= servers; ++number) {
      const auto other = "s" + std::to_string(number);
      members.servers.push_back({raftwire::Suffrage::Voter, other, address_of(other)});
    }
    disk_.configurations.push_back({1, members});
    append({1, 1, raftwire::EntryType::Configuration, raftwire::encode_configuration(members), {}});
    start(kBegin);
  }

  static std::string address_of(const std::string& id) { return id + ":1"; }

  /// Begins anew with what is on the disk.
  void start(Time now) {
    Settings settings;
    settings.id = id_;
    settings.address = address_of(id_);
    settings.pre_vote = false;
    settings.entries_max = 1;
    sent.clear();
    core = std::make_unique<Core>(
        settings, disk_, sizes_, [] { return std::uint64_t{0}; }, now);
    settle(now);
  }

  void settle(Time now) {
    for (auto actions = core->take_actions(); !actions.empty(); actions = core->take_actions()) {
      for (auto& action : actions) {
        if (const auto* ballot = std::get_if<SaveBallot>(&action)) {
          disk_.ballot = ballot->ballot;
          core->persisted(ballot->write, now);
        } else if (const auto* write = std::get_if<Append>(&action)) {
          for (const auto& entry : write->entries)
            append(entry);
          core->persisted(write->write, now);
        } else if (auto* answer = std::get_if<Answer>(&action)) {
          answers.push_back(std::move(*answer));
        } else if (auto* send = std::get_if<Send>(&action)) {
          sent.push_back(std::move(*send));
        } else if (const auto* call = std::get_if<CallDone>(&action)) {
          done.push_back(*call);
        }
      }
    }
  }

  /// The request on the wire; its entries point to this server's log.
  [[nodiscard]] raftwire::Request request(const Message& message) const {
    const raftwire::Header header{
        raftwire::kProtocolVersion, raftwire::HeaderForm::New, id_, address_};
    if (const auto* heartbeat = std::get_if<Heartbeat>(&message)) {
      return raftwire::AppendEntriesRequest{header, heartbeat->term, address_, 0, 0, {}, 0};
    }
    if (const auto* entries = std::get_if<Replicate>(&message)) {
      raftwire::AppendEntriesRequest request{
          header,
          entries->term,
          address_,
          entries->previous_index,
          entries->previous_term,
          {},
          entries->commit_index};
      for (std::uint32_t next = 0; next < entries->count; ++next) {
        const auto& stored = log_.at(entries->previous_index + next);
        request.entries.push_back(
            {entries->previous_index + next + 1, stored.term, stored.type, stored.data, {}});
      }
      return request;
    }
    return std::get<raftwire::RequestVoteRequest>(message);
  }

  std::unique_ptr<Core> core;
  std::deque<Send> sent;
  std::vector<Answer> answers;
  std::vector<CallDone> done;

private:
  struct Stored {
    std::uint64_t term;
    raftwire::EntryType type;
    std::string data;
  };

  static constexpr Time kBegin{std::chrono::hours{1}};

  void append(const raftwire::Entry& entry) {
    log_.resize(entry.index - 1);
    log_.push_back({entry.term, entry.type, std::string{entry.data}});
    if (entry.index <= disk_.log.last_index()) disk_.log.truncate(entry.index);
    disk_.log.append(entry.term);
  }

  const std::string id_;
  const std::string address_ = address_of(id_);
  AnySize sizes_;
  Durable disk_;
  std::vector<Stored> log_;
};

/// Nothing arrives unless the test delivers it.
class RaftLosses : public testing::Test {
protected:
  void make(std::size_t servers) {
    for (std::size_t number = 1; number <= servers; ++number) {
      const auto id = "s" + std::to_string(number);
      peers.push_back(std::make_unique<Peer>(id, servers));
    }
  }

  Peer& peer(std::size_t number) { return *peers.at(number - 1); }

  /// Takes the oldest request of that kind that `from` has sent to `to`.
  template <class Kind>
  std::optional<Send> take(std::size_t from, std::size_t to) {
    auto& sent = peer(from).sent;
    const auto found = std::ranges::find_if(sent, [&](const Send& send) {
      return send.server == "s" + std::to_string(to) && std::holds_alternative<Kind>(send.message);
    });
    if (found == sent.end()) return std::nullopt;
    auto send = std::move(*found);
    sent.erase(found);
    return send;
  }

  /// What `to` answers.
  Answer ask(std::size_t from, const Send& send, std::size_t to) {
    auto& asked = peer(to);
    const auto request = ++last_request;
    asked.core->receive(request, peer(from).request(send.message), now);
    asked.settle(now);
    const auto found = std::ranges::find(asked.answers, request, &Answer::request);
    if (found == asked.answers.end()) throw std::logic_error{"no answer"};
    return *found;
  }

  void tell(std::size_t from, const Send& send, const Answer& answer) {
    peer(from).core->answered(send.id, answer.body, answer.error, now);
    peer(from).settle(now);
  }

  /// Delivers the oldest request of that kind, and its answer. False when there is none.
  template <class Kind>
  bool deliver(std::size_t from, std::size_t to) {
    const auto send = take<Kind>(from, to);
    if (send) tell(from, *send, ask(from, *send, to));
    return send.has_value();
  }

  /// `voters` forget the leader they had, which has been silent for long; `candidate` begins
  /// elections until one is of a term that is new to them, and wins it.
  void elect(std::size_t candidate, std::initializer_list<std::size_t> voters) {
    now += std::chrono::minutes{1};
    for (const auto voter : voters) {
      peer(voter).core->advance(now);
      peer(voter).settle(now);
    }
    const auto known = [&](std::size_t voter) {
      return peer(voter).core->term() >= peer(candidate).core->term();
    };
    do {
      now = std::max(now, peer(candidate).core->next_deadline());
      peer(candidate).sent.clear();
      peer(candidate).core->advance(now);
      peer(candidate).settle(now);
    } while (std::ranges::any_of(voters, known));
    for (const auto voter : voters)
      ASSERT_TRUE(deliver<raftwire::RequestVoteRequest>(candidate, voter));
    ASSERT_EQ(peer(candidate).core->role(), Role::Leader);
  }

  /// `leader` replicates to `followers` until it has committed `index`.
  void
  commit(std::size_t leader, std::initializer_list<std::size_t> followers, std::uint64_t index) {
    for (int round = 0; round < 20 && peer(leader).core->commit_index() < index; ++round) {
      for (const auto follower : followers)
        while (deliver<Replicate>(leader, follower))
          ;
      now += std::chrono::milliseconds{100};
      peer(leader).core->advance(now);
      peer(leader).settle(now);
    }
    EXPECT_EQ(peer(leader).core->commit_index(), index);
  }

  void propose(std::size_t at, CallId call, std::string_view data) {
    peer(at).core->propose(call, data, {}, now);
    peer(at).settle(now);
  }

  static auto committed(CallId call) {
    return Contains(testing::AllOf(
        Field(&CallDone::call, call), Field(&CallDone::outcome, Outcome::Committed)));
  }

  std::vector<std::unique_ptr<Peer>> peers;
  Time now{std::chrono::hours{2}};
  RequestId last_request = 0;
};

TEST_F(RaftLosses, AnAnswerProvesOnlyWhatItsRequestAsked) {
  make(3);
  elect(1, {2});
  propose(1, 1, "X"); // and is cut off: entries 2 and 3 are on s1 alone
  ASSERT_EQ(peer(1).core->log().last_index(), 3U);
  elect(2, {3});
  ASSERT_EQ(peer(2).core->log().last_index(), 2U);

  const auto heartbeat = take<Heartbeat>(2, 1);
  ASSERT_TRUE(heartbeat);
  const auto answer = ask(2, *heartbeat, 1);
  ASSERT_EQ(std::get<raftwire::AppendEntriesAnswer>(answer.body).last_index, 3U);
  propose(2, 2, "Y"); // entry 3, before that answer is there
  tell(2, *heartbeat, answer);
  EXPECT_LT(peer(2).core->commit_index(), 2U);
  EXPECT_THAT(peer(2).done, Not(committed(2)));

  commit(2, {1}, 3);
  EXPECT_THAT(peer(2).done, committed(2));
  EXPECT_EQ(peer(1).core->log().term(3), peer(2).core->term());
}

TEST_F(RaftLosses, AMajorityDoesNotCommitAnEntryOfAnOldTerm) {
  make(5);
  elect(1, {2, 3}); // its entry 2 reaches s2
  while (deliver<Replicate>(1, 2))
    ;
  ASSERT_EQ(peer(2).core->log().last_index(), 2U);
  ASSERT_EQ(peer(1).core->commit_index(), 0U);
  peer(1).start(now);

  elect(5, {3, 4}); // its entry 2 stays alone
  const auto term_of_5 = peer(5).core->term();
  peer(5).start(now);

  elect(1, {2, 3});
  ASSERT_TRUE(deliver<Replicate>(1, 2));
  while (deliver<Replicate>(1, 3) && peer(3).core->log().last_index() < 2)
    ;
  // s1, s2 and s3 are a majority that has entry 2, of a term that s1 does not lead in.
  ASSERT_EQ(peer(3).core->log().term(2), peer(1).core->log().term(2));
  ASSERT_LT(*peer(1).core->log().term(2), peer(1).core->term());
  EXPECT_EQ(peer(1).core->commit_index(), 0U);

  // Rightly so: s5, with an entry of a later term, can still be elected, and writes another there.
  elect(5, {3, 4});
  commit(5, {3, 4}, 3);
  EXPECT_EQ(peer(3).core->log().term(2), term_of_5);
}

} // namespace
} // namespace switchyard::raft

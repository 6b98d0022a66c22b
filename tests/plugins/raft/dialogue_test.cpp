#include <plugins/raft/core/core.hpp>
#include <proto/raftwire/answer.hpp>

#include <gtest/gtest.h>
#include <tests/proto/raftwire/vectors.hpp>

namespace switchyard::raft {
namespace {

using raftwire::test::Bytes;

struct OneByOne final : EntrySizes {
  std::uint32_t fitting(std::uint64_t, std::uint32_t, std::uint64_t) const override { return 1; }
};

/// A node whose writes are durable at once and whose state machine takes any snapshot but one of
/// three bytes.
class Node {
public:
  Node() : core_{settings(), founded(), sizes_, [] { return std::uint64_t{7}; }, now_} {}

  /// The answers to the requests in `bytes`; empty if the connection is closed without one.
  Bytes hear(std::span<const std::byte> bytes) {
    Bytes answers;
    while (!bytes.empty()) {
      const auto frame = raftwire::RequestExtent{}.scan(bytes);
      if (!frame || !*frame) return answers;
      const auto request = (*frame)->decode();
      if (!request) return answers;
      bytes = bytes.subspan((*frame)->size);
      std::size_t body = 0;
      if (const auto* snapshot = std::get_if<raftwire::InstallSnapshotRequest>(&*request)) {
        body = static_cast<std::size_t>(snapshot->size);
        bytes = bytes.subspan(body);
      }
      core_.receive(++last_, *request, now_);
      act(answers, body);
    }
    return answers;
  }

private:
  static Settings settings() {
    Settings settings;
    settings.id = "n1";
    settings.address = "127.0.0.1:39977";
    settings.heartbeat_timeout = settings.election_timeout = std::chrono::seconds{60};
    return settings;
  }

  static Durable founded() {
    Durable durable;
    durable.ballot.term = 1;
    durable.log.append(1);
    durable.configurations.push_back(
        {1,
         {{{raftwire::Suffrage::Voter, "n1", "127.0.0.1:39977"},
           {raftwire::Suffrage::Voter, "n2", "127.0.0.1:1"},
           {raftwire::Suffrage::Voter, "n3", "127.0.0.1:2"}}}});
    return durable;
  }

  void act(Bytes& answers, std::size_t body) {
    for (auto actions = core_.take_actions(); !actions.empty(); actions = core_.take_actions()) {
      for (const auto& action : actions) {
        if (const auto* saved = std::get_if<SaveBallot>(&action)) {
          core_.persisted(saved->write, now_);
        } else if (const auto* append = std::get_if<Append>(&action)) {
          core_.persisted(append->write, now_);
        } else if (const auto* installed = std::get_if<InstallSnapshot>(&action)) {
          core_.persisted(installed->write, now_);
        } else if (const auto* receive = std::get_if<ReceiveSnapshot>(&action)) {
          if (body == 3) {
            core_.snapshot_failed(receive->request, "failed to restore snapshot: junk", now_);
          } else {
            core_.snapshot_ready(receive->request, now_);
          }
        } else if (const auto* answer = std::get_if<Answer>(&action)) {
          write(answers, *answer);
        }
      }
    }
  }

  static void write(Bytes& answers, const Answer& answer) {
    std::visit(
        [&](const auto& body) {
          if constexpr (std::is_same_v<std::decay_t<decltype(body)>, std::monostate>) {
            raftwire::append_error(answers, answer.error);
          } else {
            raftwire::append_answer(answers, body, answer.error);
          }
        },
        answer.body);
  }

  const Time now_{};
  OneByOne sizes_;
  Core core_;
  RequestId last_ = 0;
};

/// What 1.7.3 answered, byte for byte.
TEST(RaftDialogue, GivesTheAnswersOfGo) {
  Node node;
  for (const auto& turn : raftwire::test::dialogue()) {
    if (turn.version != "raft-1.7.3") continue;
    SCOPED_TRACE(turn.note);
    const auto answer = node.hear(turn.request);
    if (!turn.remark.empty()) { // a text of its own, then no success
      const auto frame = raftwire::AnswerExtent{}.scan(answer);
      ASSERT_TRUE(frame && *frame);
      EXPECT_TRUE((*frame)->error.starts_with("failed to restore snapshot"));
      EXPECT_FALSE(raftwire::decode_install_snapshot_answer((*frame)->object)->success);
    } else if (turn.note == "timeout now") { // the snapshot has made it no voter, and Go stands
                                             // anyhow
      const auto frame = raftwire::AnswerExtent{}.scan(answer);
      ASSERT_TRUE(frame && *frame);
      EXPECT_EQ((*frame)->error, "not a voter of this cluster");
    } else {
      EXPECT_EQ(switchyard::test::hex(answer), switchyard::test::hex(turn.answer));
    }
  }
}

} // namespace
} // namespace switchyard::raft

#include <plugins/raft/driver/node.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tests/peer/fake_host.hpp>

#include <filesystem>
#include <future>
#include <thread>

namespace switchyard::raft {
namespace {

using peer::FakeHost;

/// Other servers that never answer.
struct Nobody final : Node::Network {
  void send(std::vector<Outgoing>) override {}

  Time advance(Time) override { return Time::max(); }
};

/// How a call has ended.
struct Ended {
  sy_status status = SY_OK;
  std::string error{};
};

constexpr std::uint64_t kSecond = 1'000'000'000;

class RaftNode : public testing::Test {
protected:
  RaftNode() {
    std::string path = std::filesystem::temp_directory_path() / "sy-raft-XXXXXX";
    directory = ::mkdtemp(path.data());
  }

  ~RaftNode() override {
    node->end();
    host.on_loop(0, [this] { node->stop_timer(); });
    node.reset();
    std::filesystem::remove_all(directory);
  }

  [[nodiscard]] NodeSettings settings() const {
    NodeSettings settings;
    settings.core.id = "s1";
    settings.core.address = "s1:1";
    settings.data_dir = directory;
    settings.log.segment_bytes = 65536;
    return settings;
  }

  static raftwire::Configuration founders(std::size_t count) {
    raftwire::Configuration configuration;
    for (std::size_t i = 1; i <= count; ++i) {
      const auto name = "s" + std::to_string(i);
      configuration.servers.push_back({raftwire::Suffrage::Voter, name, name + ":1"});
    }
    return configuration;
  }

  /// Ends when it is committed, or refused.
  Ended add_nonvoter(const std::string& name) {
    std::promise<Ended> promise;
    auto ended = promise.get_future();
    Call call{
        ServerChange{ServerChange::Kind::AddNonvoter, name, name + ":1", 0},
        node->now() + std::chrono::hours{1},
        [](void* context, sy_status status, std::uint64_t, sy_bytes, const sy_error* error) {
          const auto* text = error == nullptr ? "" : static_cast<const char*>(error->text);
          static_cast<std::promise<Ended>*>(context)->set_value({status, text});
        },
        &promise};
    EXPECT_EQ(node->call(std::move(call)), SY_OK);
    return ended.get();
  }

  [[nodiscard]] sy_raft_role role() const {
    sy_raft_role role = SY_RAFT_FOLLOWER;
    const auto status = node->state(
        [](void* context, const sy_raft_state* state) {
          *static_cast<sy_raft_role*>(context) = state->role;
        },
        &role);
    EXPECT_EQ(status, SY_OK);
    return role;
  }

  /// The same, once this server leads; false if it does not come to that. The clock stands still
  /// while it waits for the disk.
  bool adds_nonvoter(const std::string& name) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (std::chrono::steady_clock::now() < limit) {
      if (role() == SY_RAFT_FOLLOWER) host.advance(2 * kSecond);
      const auto ended = add_nonvoter(name);
      if (ended.status == SY_OK) return true;
      EXPECT_THAT(ended.status, testing::AnyOf(SY_RAFT_NOT_LEADER, SY_RAFT_NOT_NOW)) << ended.error;
      std::this_thread::yield();
    }
    return false;
  }

  std::vector<std::string> members() {
    std::vector<std::string> names;
    const auto status = node->state(
        [](void* context, const sy_raft_state* state) {
          for (std::size_t i = 0; i < state->server_count; ++i)
            static_cast<std::vector<std::string>*>(context)->emplace_back(
                view(state->servers[i].id));
        },
        &names);
    EXPECT_EQ(status, SY_OK);
    return names;
  }

  FakeHost host;
  const Metrics metrics{Host{host.get()}};
  Nobody nobody;
  std::string directory;
  std::unique_ptr<Node> node =
      std::make_unique<Node>(Host{host.get()}, metrics, NodeSettings{}, nobody);

  /// For a directory that is known now.
  void make() { node = std::make_unique<Node>(Host{host.get()}, metrics, settings(), nobody); }
};

TEST_F(RaftNode, BeginsAClusterOnce) {
  make();
  node->begin({});
  EXPECT_EQ(add_nonvoter("s2").status, SY_RAFT_NOT_LEADER);
  EXPECT_TRUE(members().empty());

  node->bootstrap(founders(1));
  EXPECT_TRUE(adds_nonvoter("s2"));
  EXPECT_THAT(members(), testing::ElementsAre("s1", "s2"));
  EXPECT_THROW(node->bootstrap(founders(1)), Failure);
}

TEST_F(RaftNode, KeepsWhatItHasOverARestart) {
  make();
  node->begin(founders(1));
  EXPECT_TRUE(adds_nonvoter("s2"));
  node->end();
  host.on_loop(0, [this] { node->stop_timer(); });
  make();
  node->begin(founders(1)); // looked at only where there is nothing
  EXPECT_TRUE(adds_nonvoter("s3"));
  EXPECT_THAT(members(), testing::ElementsAre("s1", "s2", "s3"));
}

TEST_F(RaftNode, GoesOnAloneWhenTheOthersAreGoneForGood) {
  make();
  node->begin(founders(3));
  host.advance(10 * kSecond);
  EXPECT_EQ(add_nonvoter("s4").status, SY_RAFT_NOT_LEADER);

  node->recover();
  EXPECT_TRUE(adds_nonvoter("s4"));
  EXPECT_THAT(members(), testing::ElementsAre("s1", "s4"));
  EXPECT_THROW(node->recover(), Failure); // it leads
}

TEST_F(RaftNode, SharesItsDirectoryWithNobody) {
  make();
  node->begin(founders(1));
  Node other{Host{host.get()}, metrics, settings(), nobody};
  try {
    other.begin(founders(1));
    FAIL() << "two of them";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.status(), SY_BUSY);
    EXPECT_THAT(failure.what(), testing::HasSubstr(directory));
  }
}

} // namespace
} // namespace switchyard::raft

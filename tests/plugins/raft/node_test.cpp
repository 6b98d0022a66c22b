#include <plugins/raft/driver/node.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tests/peer/fake_host.hpp>

#include <fcntl.h>
#include <filesystem>
#include <future>
#include <thread>
#include <unistd.h>

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
  std::string result{};
  std::string error{};
};

/// A state machine that writes down what it applies. It is its own registration.
class Book {
public:
  [[nodiscard]] sy_registration* registration() noexcept {
    return reinterpret_cast<sy_registration*>(this);
  }

  [[nodiscard]] std::shared_ptr<const Machine> machine() {
    static const sy_journal kJournal{
        sizeof(sy_journal),
        0,
        nullptr,
        nullptr,
        [](sy_registration* of) -> sy_status {
          if (book(of).leaving) return SY_REVOKED;
          ++book(of).visits;
          return SY_OK;
        },
        [](sy_registration* of) { --book(of).visits; }};
    sy_raft_machine entry{};
    entry.struct_size = sizeof entry;
    entry.context = this;
    entry.applied = [](void* self) {
      const std::lock_guard heard{book(self).asked};
      const std::lock_guard lock{book(self).mutex};
      return book(self).last;
    };
    entry.apply = &Book::apply;
    entry.placed = [](void* self, std::uint32_t is) {
      const std::lock_guard lock{book(self).mutex};
      book(self).stands = is != 0;
    };
    entry.capture = [](void* self, void** view, sy_error*) -> sy_status {
      *view = self;
      return SY_OK;
    };
    entry.write = [](void*, void*, const sy_raft_sink* sink, sy_error*) -> sy_status {
      return sink->write(sink, {"book", 4});
    };
    entry.release = [](void*, void*) {};
    entry.restore = [](void* self, std::uint64_t index, const sy_raft_source*, sy_error*) {
      book(self).beside = index;
      return sy_status{SY_OK};
    };
    entry.restored = [](void* self, std::uint32_t keep) {
      const std::lock_guard lock{book(self).mutex};
      if (keep != 0) book(self).last = book(self).beside;
    };
    return std::make_shared<Machine>(kJournal, registration(), entry);
  }

  [[nodiscard]] std::vector<std::string> written() {
    const std::lock_guard lock{mutex};
    return commands;
  }

  [[nodiscard]] bool is_placed() {
    const std::lock_guard lock{mutex};
    return stands;
  }

  /// applied() is not answered while somebody else has it.
  std::mutex asked;
  std::atomic<bool> leaving = false;
  std::atomic<int> visits = 0; ///< that have not ended: it could not leave
  sy_status says = SY_OK;      ///< to every command

private:
  static Book& book(void* self) { return *static_cast<Book*>(self); }

  static sy_status apply(
      void* self,
      const sy_raft_entry* entries,
      std::size_t count,
      const sy_raft_results* results,
      sy_error* error) {
    auto& to = book(self);
    const std::lock_guard lock{to.mutex};
    if (to.says != SY_OK) std::snprintf(error->text, sizeof error->text, "no such command");
    for (std::size_t i = 0; i < count && to.says == SY_OK; ++i) {
      EXPECT_GT(entries[i].index, to.last);
      to.last = entries[i].index;
      to.commands.emplace_back(
          static_cast<const char*>(entries[i].data.data), entries[i].data.size);
      const auto result = std::to_string(to.commands.size());
      results->set(results, i, {result.data(), result.size()});
    }
    return to.says;
  }

  std::mutex mutex;
  std::vector<std::string> commands;
  std::uint64_t last = 0;
  std::uint64_t beside = 0;
  bool stands = false;
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

  [[nodiscard]] virtual NodeSettings settings() const {
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

  /// Begins a call; its end comes later.
  template <class What>
  std::future<Ended> begin_call(What what) {
    auto promise = std::make_unique<std::promise<Ended>>();
    auto ended = promise->get_future();
    Call call{
        std::move(what),
        node->now() + std::chrono::hours{1},
        [](void* context, sy_status status, std::uint64_t, sy_bytes result, const sy_error* error) {
          const std::unique_ptr<std::promise<Ended>> told{
              static_cast<std::promise<Ended>*>(context)};
          const auto* text = error == nullptr ? "" : static_cast<const char*>(error->text);
          told->set_value({status, {static_cast<const char*>(result.data), result.size}, text});
        },
        promise.get()};
    EXPECT_EQ(node->call(std::move(call)), SY_OK);
    static_cast<void>(promise.release());
    return ended;
  }

  /// Ends when it is committed, or refused.
  Ended add_nonvoter(const std::string& name) {
    return begin_call(ServerChange{ServerChange::Kind::AddNonvoter, name, name + ":1", 0}).get();
  }

  /// Its result, once it is applied.
  std::string apply(const std::string& command) {
    const auto ended = begin_call(Call::Propose{command, {}}).get();
    EXPECT_EQ(ended.status, SY_OK) << ended.error;
    return ended.result;
  }

  [[nodiscard]] sy_raft_role role() const { return role(*node); }

  [[nodiscard]] static sy_raft_role role(Node& which) {
    sy_raft_role role = SY_RAFT_FOLLOWER;
    const auto status = which.state(
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
  Book one;
  Book two;
  Book three;
  std::string directory;
  std::unique_ptr<Node> node =
      std::make_unique<Node>(Host{host.get()}, metrics, NodeSettings{}, nobody);

  /// For a directory that is known now.
  void make() { node = std::make_unique<Node>(Host{host.get()}, metrics, settings(), nobody); }

  /// Leads alone, with a nonvoter that is nowhere; `one` has applied "a".
  void lead_with_one() {
    make();
    node->begin(founders(1));
    node->bind(one.machine());
    ASSERT_TRUE(adds_nonvoter("s2"));
    EXPECT_EQ(apply("a"), "1");
  }
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

TEST_F(RaftNode, BringsAnotherStateMachineToWhereTheLogIs) {
  lead_with_one();
  EXPECT_EQ(apply("b"), "2");

  auto* gone = one.registration();
  node->exchange(std::span{&gone, 1}, two.machine());
  EXPECT_EQ(apply("c"), "3");
  EXPECT_THAT(two.written(), testing::ElementsAre("a", "b", "c"));
  EXPECT_THAT(one.written(), testing::ElementsAre("a", "b"));
  EXPECT_TRUE(two.is_placed());
  EXPECT_FALSE(one.is_placed());

  // And back: what it has is not applied again.
  gone = two.registration();
  node->exchange(std::span{&gone, 1}, one.machine());
  EXPECT_EQ(apply("d"), "4");
  EXPECT_THAT(one.written(), testing::ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(two.written(), testing::ElementsAre("a", "b", "c"));
  EXPECT_TRUE(one.is_placed());
  EXPECT_FALSE(two.is_placed());
}

/// Whoever asks whether it is up to date is told when the new one is, and the old one knows that it
/// is not.
TEST_F(RaftNode, LetsReadersWaitForTheStateMachineThatComes) {
  lead_with_one();
  std::unique_lock held{two.asked};
  auto* gone = one.registration();
  node->exchange(std::span{&gone, 1}, two.machine());
  auto verified = begin_call(Call::Verify{});
  auto passed = begin_call(Call::Barrier{});
  EXPECT_EQ(verified.wait_for(std::chrono::milliseconds{20}), std::future_status::timeout);
  EXPECT_EQ(passed.wait_for(std::chrono::milliseconds{1}), std::future_status::timeout);
  held.unlock();
  EXPECT_EQ(verified.get().status, SY_OK);
  EXPECT_FALSE(one.is_placed());
  EXPECT_EQ(passed.get().status, SY_OK);
  EXPECT_THAT(two.written(), testing::ElementsAre("a"));
}

/// One that is out is called once more, to be told, and must not have left by then.
TEST_F(RaftNode, HoldsAStateMachineThatIsStillToBeTold) {
  lead_with_one();
  std::unique_lock held{two.asked};
  auto* gone = one.registration();
  node->exchange(std::span{&gone, 1}, two.machine()); // which does not answer
  gone = two.registration();
  node->exchange(std::span{&gone, 1}, three.machine());
  EXPECT_EQ(three.visits, 0);
  gone = three.registration();
  node->exchange(std::span{&gone, 1}, one.machine());
  EXPECT_EQ(three.visits, 1);
  held.unlock();
  EXPECT_EQ(apply("b"), "2");
  EXPECT_EQ(three.visits, 0);
  EXPECT_EQ(two.visits, 0);
  EXPECT_TRUE(one.is_placed());
}

TEST_F(RaftNode, ExchangesNoStateMachineThatIsNotThere) {
  make();
  node->begin(founders(1));
  node->bind(one.machine());
  auto* gone = two.registration();
  try {
    node->exchange(std::span{&gone, 1}, two.machine());
    FAIL() << "two of them";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.status(), SY_EXISTS);
  }
  ASSERT_TRUE(adds_nonvoter("s2"));
  EXPECT_EQ(apply("a"), "1");
  EXPECT_THAT(one.written(), testing::ElementsAre("a"));
}

TEST_F(RaftNode, HoldsWhatIsToBeAppliedWhileNobodyDoes) {
  lead_with_one();
  auto* gone = one.registration();
  node->unbind(gone);
  auto held = begin_call(Call::Propose{"b", {}});
  EXPECT_EQ(held.wait_for(std::chrono::milliseconds{1}), std::future_status::timeout);
  node->bind(two.machine());
  const auto ended = held.get();
  EXPECT_EQ(ended.status, SY_OK);
  EXPECT_EQ(ended.result, "2");
}

/// What another version of the plugin does in the same process.
class RaftSuccession : public RaftNode {
protected:
  RaftSuccession() {
    make();
    node->begin(founders(1));
    node->bind(one.machine());
    EXPECT_TRUE(adds_nonvoter("s2"));
    EXPECT_EQ(apply("a"), "1");
  }

  ~RaftSuccession() override {
    next->end();
    host.on_loop(0, [this] { next->stop_timer(); });
  }

  [[nodiscard]] NodeSettings settings() const override {
    auto settings = RaftNode::settings();
    settings.core.election_timeout = std::chrono::milliseconds{60};
    return settings;
  }

  /// Until it leads; it begins by itself, without waiting for an election.
  [[nodiscard]] static bool leads(Node& which) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (role(which) != SY_RAFT_LEADER && std::chrono::steady_clock::now() < limit)
      std::this_thread::yield();
    return role(which) == SY_RAFT_LEADER;
  }

  [[nodiscard]] HandOver hand_over() {
    node->step_aside();
    auto handed = node->quiet();
    node->let_go();
    return handed;
  }

  std::unique_ptr<Node> next =
      std::make_unique<Node>(Host{host.get()}, metrics, RaftNode::settings(), nobody);
};

TEST_F(RaftSuccession, GoesOnWhereTheOneBeforeLetGo) {
  const auto handed = hand_over();
  EXPECT_TRUE(handed.leads);
  EXPECT_EQ(handed.commit_index, handed.last_index);
  EXPECT_EQ(
      node->call({Call::Barrier{}, node->now() + std::chrono::hours{1}, nullptr, nullptr}),
      SY_CANCELLED);

  next->take_over(handed, node->lock());
  next->bind(one.machine());
  node->unbind(one.registration());
  node->end();
  ASSERT_TRUE(leads(*next));
  std::swap(node, next);
  EXPECT_EQ(apply("b"), "2");
  EXPECT_THAT(one.written(), testing::ElementsAre("a", "b"));
  EXPECT_EQ(hand_over().ballot.term, handed.ballot.term + 1);
}

TEST_F(RaftSuccession, RefusesADirectoryThatIsNotWhatWasHandedOver) {
  const auto handed = hand_over();

  const struct {
    const char* says;
    void (*change)(HandOver&);
  } kCases[] = {
      {"it is of server s9", [](HandOver& h) { h.id = "s9"; }},
      {"term", [](HandOver& h) { ++h.ballot.term; }},
      {"with a vote for s9:1", [](HandOver& h) { h.ballot.candidate = "s9:1"; }},
      {"its log ends with entry", [](HandOver& h) { ++h.last_index; }},
      {"its snapshot is older", [](HandOver& h) { h.snapshot_index = 1; }}};

  for (const auto& c : kCases) {
    auto other = handed;
    c.change(other);
    try {
      next->take_over(other, node->lock());
      FAIL() << c.says;
    } catch (const Failure& failure) {
      EXPECT_THAT(failure.what(), testing::HasSubstr(c.says));
    }
  }
  // It has changed nothing: the one before goes back.
  node->take_over(handed, node->lock());
  ASSERT_TRUE(leads(*node));
  EXPECT_EQ(apply("b"), "2");
}

TEST_F(RaftSuccession, SharesTheLockAndGivesItToNobodyElse) {
  const auto handed = hand_over();
  const auto begins = [&] {
    Node other{Host{host.get()}, metrics, settings(), nobody};
    try {
      other.begin({});
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.status(), SY_BUSY);
      return false;
    }
    other.end();
    host.on_loop(0, [&] { other.stop_timer(); });
    return true;
  };
  EXPECT_FALSE(begins());
  next->take_over(handed, node->lock());
  EXPECT_FALSE(begins());
  node->end();
  EXPECT_FALSE(begins());
  next->end();
  EXPECT_TRUE(begins());
}

TEST_F(RaftSuccession, TakesTheLockOfNoOtherDirectory) {
  const auto handed = hand_over();
  const auto file = directory + "/other";
  const int other = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  EXPECT_THROW(next->take_over(handed, other), Failure);
  ::close(other);
}

TEST_F(RaftSuccession, OpensTheDirectoryAnewWhenNothingComesBack) {
  const auto handed = hand_over();
  next->take_over(handed, node->lock()); // and then does not answer
  ASSERT_TRUE(leads(*next));
  next->end();
  node->begin(founders(1));
  ASSERT_TRUE(leads(*node));
  EXPECT_EQ(apply("b"), "2");
  EXPECT_THAT(one.written(), testing::ElementsAre("a", "b"));
  EXPECT_GT(hand_over().ballot.term, handed.ballot.term);
}

TEST_F(RaftSuccession, AnswersWhoeverWaits) {
  node->unbind(one.registration());
  auto waits = begin_call(Call::Propose{"b", {}});
  const auto handed = hand_over(); // the call is in the log, and the log is handed over
  const auto ended = waits.get();
  EXPECT_EQ(ended.status, SY_CANCELLED);
  EXPECT_THAT(ended.error, testing::HasSubstr("unknown"));
  next->take_over(handed, node->lock());
  next->bind(one.machine());
  ASSERT_TRUE(leads(*next));
  std::swap(node, next);
  EXPECT_EQ(apply("c"), "3");
}

TEST_F(RaftSuccession, GoesOnWhenItIsNotReplacedAfterAll) {
  node->step_aside();
  static_cast<void>(node->quiet());
  host.on_loop(0, [this] { node->go_on(); });
  ASSERT_TRUE(leads(*node));
  EXPECT_EQ(apply("b"), "2");
}

TEST_F(RaftSuccession, GivesNothingMoreToAStateMachineThatHasRefused) {
  one.says = SY_INTERNAL;
  auto refused = begin_call(Call::Propose{"b", {}});
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{60};
  const auto well = [](Node& which) {
    try {
      which.health();
      return true;
    } catch (const Failure& failure) {
      EXPECT_THAT(failure.what(), testing::HasSubstr("no such command"));
      return false;
    }
  };
  while (well(*node) && std::chrono::steady_clock::now() < limit)
    std::this_thread::yield();
  const auto handed = hand_over();
  EXPECT_EQ(refused.get().status, SY_CANCELLED);
  one.says = SY_OK;
  next->take_over(handed, node->lock());
  next->bind(one.machine());
  EXPECT_FALSE(well(*next));
  // Another one may do better.
  auto* gone = one.registration();
  next->exchange(std::span{&gone, 1}, two.machine());
  EXPECT_TRUE(well(*next));
  ASSERT_TRUE(leads(*next));
  std::swap(node, next);
  EXPECT_EQ(apply("c"), "3");
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

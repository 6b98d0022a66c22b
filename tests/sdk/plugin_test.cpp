#include <switchyard/loops.hpp>
#include <switchyard/plugin.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tests/peer/fake_host.hpp>
#include <tests/peer/socket_pair.hpp>

#include <string>
#include <vector>

namespace switchyard {
namespace {

using namespace peer;
using testing::ElementsAre;

sy_string text(std::string_view view) {
  return {view.data(), view.size()};
}

/// Everything a plugin can have; its configuration says where it throws.
class Full {
public:
  Full(Host, std::string_view config) : config_{config} { trip("init"); }

  static void check_config(std::string_view config) {
    if (config == "bad") throw Failure{SY_INVALID, "a bad config"};
  }

  void start() { trip("start"); }

  void activate() { trip("activate"); }

  void serve(std::uint32_t protocol, Connection connection) {
    trip("serve");
    connection.close(protocol);
  }

  void serve_descriptor(std::uint32_t, const sy_descriptor&) { trip("serve_descriptor"); }

  void health() { trip("health"); }

  void drain(std::chrono::nanoseconds deadline, DrainDone done) {
    trip("drain");
    EXPECT_EQ(deadline.count(), 77);
    done();
  }

  void abort_all() { trip("abort_all"); }

  void stop() { trip("stop"); }

  const void* query(std::string_view id) {
    trip("query");
    return id == "com.example.a/1" ? this : nullptr;
  }

private:
  void trip(std::string_view at) const {
    if (config_ == at) throw Failure{SY_LIMIT, "tripped in " + config_};
  }

  std::string config_;
};

/// The least a plugin can have.
struct Least {
  Least(Host, std::string_view) {}
};

/// Says by its configuration what it does with a connection.
struct Choosy {
  Choosy(Host, std::string_view config) : does{config} {}

  sy_status serve(std::uint32_t protocol, Connection& offered) {
    if (does == "throw") throw Failure{SY_LIMIT, "tripped in serve"};
    if (does == "forget") return SY_OK;
    if (does == "refuse") return SY_CANCELLED;
    auto taken = std::move(offered);
    if (does == "take and throw") throw Failure{SY_LIMIT, "tripped later"};
    taken.close(protocol);
    return SY_OK;
  }

  void drain(std::chrono::nanoseconds, DrainDone done) { done(); }

  void abort_all() {}

  std::string does;
};

constexpr auto kFull = Plugin<Full>::describe("com.example.full", "1.2.3", "{}");
constexpr auto kLeast = Plugin<Least>::describe("com.example.least", "1.0.0", "{}");
constexpr auto kChoosy = Plugin<Choosy>::describe("com.example.choosy", "1.0.0", "{}");

class PluginTest : public testing::Test {
protected:
  sy_instance* init(const sy_plugin& plugin, std::string_view config) {
    sy_instance* instance = nullptr;
    EXPECT_EQ(plugin.init(host.get(), text(config), &instance, &error), SY_OK) << error.text;
    return instance;
  }

  FakeHost host;
  sy_error error = make_error();
};

TEST_F(PluginTest, IsDescribed) {
  EXPECT_EQ(kFull.magic, SY_PLUGIN_MAGIC);
  EXPECT_EQ(kFull.struct_size, sizeof(sy_plugin));
  EXPECT_STREQ(kFull.id, "com.example.full");
  EXPECT_STREQ(kFull.version, "1.2.3");
  EXPECT_NE(kFull.serve_descriptor, nullptr);
  EXPECT_NE(kFull.query, nullptr);
  EXPECT_EQ(kLeast.check_config, nullptr);
  EXPECT_EQ(kLeast.serve_descriptor, nullptr);
  EXPECT_EQ(kLeast.query, nullptr);
}

TEST_F(PluginTest, JudgesAConfiguration) {
  EXPECT_EQ(kFull.check_config(text("good"), &error), SY_OK);
  EXPECT_EQ(kFull.check_config(text("bad"), &error), SY_INVALID);
  EXPECT_STREQ(error.text, "a bad config");
}

TEST_F(PluginTest, ReportsWhatItsFunctionsThrow) {
  sy_instance* none = nullptr;
  EXPECT_EQ(kFull.init(host.get(), text("init"), &none, &error), SY_LIMIT);
  EXPECT_STREQ(error.text, "tripped in init");
  EXPECT_EQ(none, nullptr);

  const struct {
    const char* name;
    sy_status (*call)(sy_instance*, sy_error*);
  } cases[] = {
      {"start", kFull.start},
      {"activate", kFull.activate},
      {"health", kFull.health},
      {"stop", kFull.stop},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    auto* good = init(kFull, "");
    EXPECT_EQ(c.call(good, &error), SY_OK);
    kFull.destroy(good);

    auto* bad = init(kFull, c.name);
    error = make_error();
    EXPECT_EQ(c.call(bad, &error), SY_LIMIT);
    EXPECT_EQ(
        std::string{static_cast<const char*>(error.text)}, std::string{"tripped in "} + c.name);
    kFull.destroy(bad);
  }
}

TEST_F(PluginTest, OwnsAConnectionThatItTakes) {
  auto* instance = init(kFull, "");
  auto [ours, theirs] = socket_pair();
  host.on_loop(0, [&, descriptor = theirs.release()] {
    EXPECT_EQ(kFull.serve(instance, SY_CLOSE_LIMIT, host.connect(descriptor)), SY_OK);
  });
  EXPECT_THAT(host.closed(1), ElementsAre(SY_CLOSE_LIMIT));
  kFull.destroy(instance);
}

TEST_F(PluginTest, ClosesAConnectionWhenItThrows) {
  auto* instance = init(kFull, "serve");
  auto [ours, theirs] = socket_pair();
  host.on_loop(0, [&, descriptor = theirs.release()] {
    EXPECT_EQ(kFull.serve(instance, 0, host.connect(descriptor)), SY_OK);
  });
  EXPECT_THAT(host.closed(1), ElementsAre(SY_CLOSE_INTERNAL));
  EXPECT_THAT(host.lines(), ElementsAre("tripped in serve"));
  kFull.destroy(instance);
}

TEST_F(PluginTest, LeavesAConnectionThatItRefuses) {
  const struct {
    std::string_view does;
    sy_status status;
    sy_close_reason closed;
  } cases[] = {
      {"take", SY_OK, SY_CLOSE_LIMIT},
      {"take and throw", SY_OK, SY_CLOSE_INTERNAL},
      {"refuse", SY_CANCELLED, SY_CLOSE_DRAINED},
      {"forget", SY_INTERNAL, SY_CLOSE_DRAINED},
      {"throw", SY_INTERNAL, SY_CLOSE_DRAINED},
  };

  std::vector<sy_close_reason> closed;
  for (const auto& c : cases) {
    SCOPED_TRACE(c.does);
    auto* instance = init(kChoosy, c.does);
    auto [ours, theirs] = socket_pair();
    host.on_loop(0, [&, descriptor = theirs.release()] {
      auto* connection = host.connect(descriptor);
      const auto status = kChoosy.serve(instance, SY_CLOSE_LIMIT, connection);
      EXPECT_EQ(status, c.status);
      if (status != SY_OK) connection->api->close(connection, SY_CLOSE_DRAINED);
    });
    closed.push_back(c.closed);
    EXPECT_EQ(host.closed(closed.size()), closed);
    kChoosy.destroy(instance);
  }
  EXPECT_THAT(host.lines(), ElementsAre("tripped later", "tripped in serve"));
}

TEST_F(PluginTest, FindsItsObject) {
  auto* instance = init(kChoosy, "here");
  EXPECT_EQ(Plugin<Choosy>::of(instance).does, "here");
  EXPECT_EQ(Plugin<Choosy>::host_of(instance).get(), host.get());
  kChoosy.destroy(instance);
}

TEST_F(PluginTest, LeavesADescriptorWhenItThrows) {
  const sy_descriptor given{};
  for (const auto& [config, status] : {std::pair{"", SY_OK}, {"serve_descriptor", SY_LIMIT}}) {
    auto* instance = init(kFull, config);
    EXPECT_EQ(kFull.serve_descriptor(instance, 0, &given), status);
    kFull.destroy(instance);
  }
}

TEST_F(PluginTest, DrainsAndAborts) {
  for (const auto& [config, status, times] :
       {std::tuple{"", SY_OK, 1}, {"drain", SY_LIMIT, 0}, {"abort_all", SY_OK, 1}}) {
    SCOPED_TRACE(config);
    auto* instance = init(kFull, config);
    int done = 0;
    EXPECT_EQ(
        kFull.drain(
            instance, 77, [](void* count) { ++*static_cast<int*>(count); }, &done),
        status);
    EXPECT_EQ(done, times);
    kFull.abort_all(instance);
    kFull.destroy(instance);
  }
  EXPECT_THAT(host.lines(), ElementsAre("tripped in abort_all"));
}

TEST_F(PluginTest, GivesItsTables) {
  auto* instance = init(kFull, "");
  EXPECT_NE(kFull.query(instance, "com.example.a/1"), nullptr);
  EXPECT_EQ(kFull.query(instance, "com.example.a/2"), nullptr);
  kFull.destroy(instance);
  auto* bad = init(kFull, "query");
  EXPECT_EQ(kFull.query(bad, "com.example.a/1"), nullptr);
  EXPECT_THAT(host.lines(), ElementsAre("tripped in query"));
  kFull.destroy(bad);
}

TEST_F(PluginTest, DoesNothingWhereAClassSaysNothing) {
  auto* instance = init(kLeast, "");
  EXPECT_EQ(kLeast.start(instance, &error), SY_OK);
  EXPECT_EQ(kLeast.activate(instance, &error), SY_OK);
  EXPECT_EQ(kLeast.health(instance, &error), SY_OK);
  EXPECT_EQ(kLeast.serve(instance, 0, nullptr), SY_UNSUPPORTED);
  int done = 0;
  EXPECT_EQ(
      kLeast.drain(
          instance, 0, [](void* count) { ++*static_cast<int*>(count); }, &done),
      SY_OK);
  EXPECT_EQ(done, 1);
  kLeast.abort_all(instance);
  EXPECT_EQ(kLeast.stop(instance, &error), SY_OK);
  kLeast.destroy(instance);
}

} // namespace
} // namespace switchyard

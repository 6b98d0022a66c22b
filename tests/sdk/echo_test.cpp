#include <switchyard/failure.hpp>
#include <switchyard/plugin.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tests/peer/fake_host.hpp>
#include <tests/peer/plugin_file.hpp>
#include <tests/peer/socket_pair.hpp>

#include <array>
#include <fcntl.h>
#include <future>
#include <string>

namespace switchyard {
namespace {

using namespace peer;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint32_t kStream = 0;
constexpr std::uint32_t kDescriptor = 1;

sy_string text(std::string_view view) {
  return {view.data(), view.size()};
}

class Echo : public testing::Test {
protected:
  void bring_up(std::string_view config = "{}") {
    ASSERT_EQ(plugin->init(host.get(), text(config), &instance, &error), SY_OK) << error.text;
    ASSERT_EQ(plugin->start(instance, &error), SY_OK) << error.text;
    ASSERT_EQ(plugin->activate(instance, &error), SY_OK) << error.text;
  }

  void TearDown() override {
    if (instance == nullptr) return;
    EXPECT_EQ(plugin->stop(instance, &error), SY_OK) << error.text;
    EXPECT_EQ(host.connections, 0);
    EXPECT_EQ(host.timers, 0);
    EXPECT_EQ(host.threads, 0);
    host.on_loop(0, [] {}); // what was posted before has returned
    EXPECT_EQ(host.posts, 0);
    plugin->destroy(instance);
    EXPECT_TRUE(plugin.unload());
  }

  /// A connection that the plugin serves; the test has the peer's end.
  Socket open(std::uint32_t protocol = kStream, bool tls = false) {
    auto [ours, theirs] = socket_pair();
    host.on_loop(0, [&, descriptor = theirs.release()] {
      EXPECT_EQ(plugin->serve(instance, protocol, host.connect(descriptor, tls)), SY_OK);
    });
    return std::move(ours);
  }

  Socket open_descriptor(std::string_view read_ahead = {}) {
    auto [ours, theirs] = socket_pair();
    sy_descriptor given{};
    given.struct_size = sizeof given;
    given.descriptor = theirs.release();
    given.read_ahead = {read_ahead.data(), read_ahead.size()};
    ::fcntl(given.descriptor, F_SETFL, O_NONBLOCK);
    host.on_loop(
        0, [&] { EXPECT_EQ(plugin->serve_descriptor(instance, kDescriptor, &given), SY_OK); });
    return std::move(ours);
  }

  std::future<void> drain() {
    EXPECT_EQ(
        plugin->drain(
            instance,
            0,
            [](void* context) { static_cast<std::promise<void>*>(context)->set_value(); },
            &drained),
        SY_OK);
    return drained.get_future();
  }

  PluginFile plugin{SWITCHYARD_BINARY_DIR "/lib/switchyard/echo.so"};
  FakeHost host;
  sy_instance* instance = nullptr;
  sy_error error = make_error();
  std::promise<void> drained;
};

TEST_F(Echo, SaysTheSameInDescriptorAndManifest) {
  EXPECT_EQ(plugin->magic, SY_PLUGIN_MAGIC);
  EXPECT_EQ(plugin->abi_major, SY_ABI_MAJOR);
  EXPECT_EQ(plugin->abi_minor, SY_ABI_MINOR);
  EXPECT_STREQ(plugin->id, "switchyard.echo");
  EXPECT_THAT(plugin->manifest, HasSubstr(R"("id":"switchyard.echo")"));
  EXPECT_THAT(plugin->manifest, HasSubstr(R"("abi":"0.5")"));
}

TEST_F(Echo, JudgesItsConfiguration) {
  const struct {
    std::string_view name;
    std::string_view config;
    std::string_view sentence; ///< empty: it is taken
  } cases[] = {
      {"nothing", "", ""},
      {"empty table", "{}", ""},
      {"greeting", R"({"greeting":"hello\n"})", ""},
      {"blanks", " { \"greeting\" : \"\" } ", ""},
      {"escapes", R"({"greeting":"\"\\\/\b\f\n\r\tA\u00e9\u20ac\ud83d\ude00"})", ""},
      {"escaped key", R"({"greet\u0069ng":"x"})", ""},
      {"unknown key", R"({"greting":"x"})", R"(unknown key "greting"; the only key is "greeting")"},
      {"key with the start of ours", R"({"greet":"x"})", "unknown key"},
      {"key longer than ours",
       R"({"greeting_text_which_is_a_long_one_indeed":"x"})",
       "unknown key"},
      {"number", R"({"greeting":1})", R"("greeting" must be a string)"},
      {"twice", R"({"greeting":"a","greeting":"b"})", R"("greeting" is there twice)"},
      {"list", "[]", "the configuration is not a table"},
      {"cut in a string", R"({"greeting":"x)", R"("greeting" must be a string)"},
      {"cut in an escape", R"({"greeting":"\u00)", R"("greeting" must be a string)"},
      {"lone surrogate", R"({"greeting":"\ud83d"})", R"("greeting" must be a string)"},
      {"low surrogate first", R"({"greeting":"\ude00\ud83d"})", R"("greeting" must be a string)"},
      {"unknown escape", R"({"greeting":"\x"})", R"("greeting" must be a string)"},
      {"control character", "{\"greeting\":\"\n\"}", R"("greeting" must be a string)"},
      {"missing colon", R"({"greeting" "x"})", "the configuration is not valid JSON"},
      {"trailing comma", R"({"greeting":"x",})", "the configuration is not valid JSON"},
      {"unclosed", R"({"greeting":"x")", "the configuration is not valid JSON"},
      {"more behind it", "{}{}", "the configuration is not valid JSON"},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    error = make_error();
    const auto status = plugin->check_config(text(c.config), &error);
    EXPECT_EQ(status, c.sentence.empty() ? SY_OK : SY_INVALID);
    EXPECT_THAT(error.text, HasSubstr(std::string{c.sentence}));
  }
  const auto longest = R"({"greeting":")" + std::string(256, 'x') + R"("})";
  EXPECT_EQ(plugin->check_config(text(longest), &error), SY_OK);
  const auto longer = R"({"greeting":")" + std::string(257, 'x') + R"("})";
  EXPECT_EQ(plugin->check_config(text(longer), &error), SY_INVALID);
  EXPECT_STREQ(error.text, "\"greeting\" has 257 bytes; at most 256 are allowed");
}

TEST_F(Echo, AnswersWithWhatItIsSent) {
  bring_up();
  const auto peer = open();
  peer.send("hello");
  EXPECT_EQ(peer.receive(5), "hello");
  peer.send("again");
  peer.finish();
  EXPECT_EQ(peer.receive_all(), "again");
  EXPECT_THAT(host.closed(1), ElementsAre(SY_CLOSE_FINISHED));
  EXPECT_EQ(host.metric("connections_total"), 1);
}

TEST_F(Echo, GreetsInPlaceOfTheFirstEcho) {
  bring_up(R"({"greeting":"wilkommen \u20ac\n"})");
  for (const auto protocol : {kStream, kDescriptor}) {
    SCOPED_TRACE(protocol);
    const auto peer = protocol == kStream ? open() : open_descriptor();
    peer.send("hello");
    EXPECT_EQ(peer.receive(14), "wilkommen \u20ac\n");
    peer.send("hello");
    EXPECT_EQ(peer.receive(5), "hello");
  }
}

TEST_F(Echo, HoldsLittleOfWhatThePeerDoesNotRead) {
  bring_up();
  for (const auto protocol : {kStream, kDescriptor}) {
    SCOPED_TRACE(protocol);
    const auto peer = protocol == kStream ? open() : open_descriptor();
    // Both directions of the pair fill up; then nothing moves until the peer reads.
    std::size_t sent = 0;
    for (auto more = peer.fill('x'); more != 0; more = peer.fill('x')) {
      sent += more;
      host.on_loop(0, [] {});
    }
    EXPECT_LT(sent, 2u << 20);
    auto reader = std::async(std::launch::async, [&] { return peer.receive(sent); });
    EXPECT_EQ(reader.get(), std::string(sent, 'x'));
    peer.send("end");
    EXPECT_EQ(peer.receive(3), "end");
  }
}

TEST_F(Echo, EndsAPeerThatSendsNothing) {
  bring_up();
  const auto idle = open();
  host.advance(500 * kSecond);
  const auto busy = open();
  busy.send("x");
  EXPECT_EQ(busy.receive(1), "x");
  host.advance(110 * kSecond);
  EXPECT_THAT(host.closed(1), ElementsAre(SY_CLOSE_TIMED_OUT));
  EXPECT_EQ(idle.receive_all(), "");
  busy.send("y");
  EXPECT_EQ(busy.receive(1), "y");
}

TEST_F(Echo, EndsAPeerThatReadsNothing) {
  bring_up();
  const auto peer = open();
  while (peer.fill('x') != 0)
    host.on_loop(0, [] {});
  host.advance(41 * kSecond);
  EXPECT_THAT(host.closed(1), ElementsAre(SY_CLOSE_TIMED_OUT));
}

TEST_F(Echo, ServesDescriptorsAndWhatWasReadAhead) {
  bring_up();
  const auto peer = open_descriptor("early ");
  EXPECT_EQ(peer.receive(6), "early ");
  peer.send("late");
  EXPECT_EQ(peer.receive(4), "late");
  peer.finish();
  EXPECT_EQ(peer.receive_all(), "");
}

TEST_F(Echo, EndsAnIdleDescriptor) {
  bring_up();
  const auto idle = open_descriptor();
  host.advance(601 * kSecond);
  const auto other = open_descriptor("x"); // wakes the poller
  EXPECT_EQ(other.receive(1), "x");
  EXPECT_EQ(idle.receive_all(), "");
}

TEST_F(Echo, ServesTlsAsADescriptorThroughThePump) {
  bring_up();
  const auto peer = open(kDescriptor, true);
  const std::string block(300'000, 'b');
  auto reader = std::async(std::launch::async, [&] { return peer.receive(block.size()); });
  peer.send(block);
  EXPECT_EQ(reader.get(), block);
  peer.finish();
  EXPECT_EQ(peer.receive_all(), "");
  EXPECT_THAT(host.closed(2), Each(SY_CLOSE_FINISHED));
}

TEST_F(Echo, DrainsWhatIsIdleAtOnce) {
  bring_up();
  const auto stream = open();
  const auto descriptor = open_descriptor();
  const auto tunnel = open(kDescriptor, true);
  stream.send("x");
  EXPECT_EQ(stream.receive(1), "x");
  auto done = drain();
  EXPECT_EQ(stream.receive_all(), "");
  EXPECT_EQ(descriptor.receive_all(), "");
  EXPECT_EQ(tunnel.receive_all(), "");
  tunnel.finish();
  done.wait();
}

TEST_F(Echo, AnswersWhatHasArrivedBeforeADrainEnds) {
  bring_up();
  const auto stream = open();
  const auto descriptor = open_descriptor();
  std::array<std::pair<const Socket*, std::size_t>, 2> peers{{{&stream, 0}, {&descriptor, 0}}};
  for (auto& [peer, sent] : peers) {
    for (auto more = peer->fill('x'); more != 0; more = peer->fill('x')) {
      sent += more;
      host.on_loop(0, [] {});
    }
  }
  auto done = drain();
  EXPECT_EQ(done.wait_for(std::chrono::seconds{0}), std::future_status::timeout);
  for (const auto& [peer, sent] : peers) {
    EXPECT_EQ(peer->receive_all(), std::string(sent, 'x'));
  }
  done.wait();
  EXPECT_THAT(host.closed(1), ElementsAre(SY_CLOSE_DRAINED));
}

TEST_F(Echo, TakesNothingOnceItDrains) {
  bring_up();
  drain().wait();
  auto [ours, theirs] = socket_pair();
  host.on_loop(0, [&, descriptor = theirs.release()] {
    auto* connection = host.connect(descriptor);
    EXPECT_EQ(plugin->serve(instance, kStream, connection), SY_CANCELLED);
    connection->api->close(connection, SY_CLOSE_DRAINED); // it stayed ours
  });
}

TEST_F(Echo, AbortsEverything) {
  bring_up();
  const auto idle = open();
  const auto stuck = open();
  while (stuck.fill('x') != 0)
    host.on_loop(0, [] {});
  const auto descriptor = open_descriptor();
  const auto tunnel = open(kDescriptor, true);
  plugin->abort_all(instance);
  EXPECT_EQ(idle.receive_all(), "");
  EXPECT_EQ(descriptor.receive_all(), "");
  EXPECT_EQ(tunnel.receive_all(), "");
  EXPECT_EQ(host.connections, 0);
}

TEST_F(Echo, RefusesAConfigurationInInitToo) {
  EXPECT_EQ(plugin->init(host.get(), text(R"({"x":1})"), &instance, &error), SY_INVALID);
  EXPECT_THAT(error.text, HasSubstr("unknown key \"x\""));
  EXPECT_EQ(instance, nullptr);
}

} // namespace
} // namespace switchyard

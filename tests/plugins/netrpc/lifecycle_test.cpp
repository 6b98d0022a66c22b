// What the host does with the plugin besides giving it connections.
#include "netrpc.hpp"
#include "yamux_peer.hpp"

#include <switchyard/netrpc/client.h>

#include <proto/yamux/header.hpp>

#include <thread>
#include <utility>

namespace switchyard::netrpc::test {
namespace {

using testing::Each;
using testing::HasSubstr;

class NetrpcLifecycle : public Netrpc {};

/// The frame that opens stream `id` with `bytes`.
std::string opening(std::uint32_t id, std::string_view bytes) {
  const auto header = yamux::encode_header(
      {.flags = static_cast<std::uint16_t>(yamux::Flag::Syn),
       .stream_id = id,
       .length = static_cast<std::uint32_t>(bytes.size())});
  return std::string{reinterpret_cast<const char*>(header.data()), header.size()}.append(bytes);
}

TEST_F(NetrpcLifecycle, SaysTheSameInDescriptorAndManifest) {
  EXPECT_EQ(plugin->magic, SY_PLUGIN_MAGIC);
  EXPECT_EQ(plugin->abi_major, SY_ABI_MAJOR);
  EXPECT_EQ(plugin->abi_minor, SY_ABI_MINOR);
  EXPECT_STREQ(plugin->id, "dev.switchyard.netrpc");
  EXPECT_THAT(plugin->manifest, HasSubstr(R"("id":"dev.switchyard.netrpc")"));
  EXPECT_EQ(plugin->health(instance, &error), SY_OK);
  EXPECT_EQ(plugin->query(instance, "switchyard.netrpc.endpoints/2"), nullptr);
}

TEST_F(NetrpcLifecycle, JudgesItsConfiguration) {
  const struct {
    std::string_view config;
    std::string_view problem; ///< empty: none
  } cases[] = {
      {"{}", ""},
      {R"({"max_body_bytes": 1048576, "max_streams": 10, "request_timeout": "500ms",
           "write_timeout": "2m", "keepalive_interval": "30s"})",
       ""},
      {R"({"max_body_bytes": 10})",
       "config.max_body_bytes: must be a number from 1024 to 1073741824"},
      {R"({"max_body_bytes": 2e9})", "config.max_body_bytes: must be a number from 1024"},
      {R"({"max_body_bytes": "1"})", "config.max_body_bytes: must be a number"},
      {R"({"max_streams": 0})", "config.max_streams: must be a number from 1 to 65536"},
      {R"({"max_streams": 1.5})", "config.max_streams: must be a number"},
      {R"({"request_timeout": 10})", "config.request_timeout: must be a duration such as \"10s\""},
      {R"({"request_timeout": "10"})", "config.request_timeout: must be a duration"},
      {R"({"request_timeout": "0s"})", "config.request_timeout: must be a duration"},
      {R"({"write_timeout": "-1s"})", "config.write_timeout: must be a duration"},
      {R"({"write_timeout": "1 s"})", "config.write_timeout: must be a duration"},
      {R"({"keepalive_interval": "2000m"})", "config.keepalive_interval: must be a duration"},
      {R"({"keepalive_interval": "1440m"})", ""},
      {R"({"keepalive_interval": "1441m"})", "config.keepalive_interval: must be a duration"},
      {R"({"keepalive_interval": "307445735m"})", "config.keepalive_interval: must be a duration"},
      {R"({"keepalive_interval": "200000000m"})", "config.keepalive_interval: must be a duration"},
      {R"({"keepalive": "1s"})", "config.keepalive: no such key; known are max_body_bytes"},
      {"[]", "config: must be a table"},
      {"{", "config: must be a table"},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.config);
    auto why = make_error();
    EXPECT_EQ(plugin->check_config(text(c.config), &why), c.problem.empty() ? SY_OK : SY_INVALID);
    EXPECT_THAT(why.text, testing::StartsWith(std::string{c.problem}));
  }
}

TEST_F(NetrpcLifecycle, AsksForWhatItNeedsOfTheHost) {
  peer::FakeHost bare;
  sy_instance* made = nullptr;
  EXPECT_EQ(plugin->init(bare.get(), text("{}"), &made, &error), SY_UNSUPPORTED);
  EXPECT_THAT(error.text, HasSubstr(SY_JOURNAL));
}

TEST_F(NetrpcLifecycle, IsDrainedAtOnceWhenItHasNothing) {
  drain().wait();
  EXPECT_EQ(host.timers, 0);
}

TEST_F(NetrpcLifecycle, DrainsConnectionsThatWait) {
  auto single = open(kSingle);
  YamuxPeer multi{open(kMulti, 1)};
  const auto stream = multi.open(request(1, "Status.Ping"));
  multi.receive(stream, 40);
  auto drained = drain();
  EXPECT_EQ(multi.receive_all(stream), "");
  EXPECT_TRUE(multi.was_finished(stream));
  EXPECT_TRUE(multi.told_to_go());
  settle();
  advance(kSecond);
  EXPECT_EQ(single.receive_all(), "");
  EXPECT_EQ(multi.socket().receive_all(), "");
  single.close();
  multi.socket().close();
  drained.wait();
  EXPECT_THAT(host.closed(2), Each(SY_CLOSE_DRAINED));
}

TEST_F(NetrpcLifecycle, AnswersWhatIsInProgressBeforeItIsDrained) {
  Endpoint slow;
  offer("Slow.Get", slow);
  auto single = open(kSingle);
  single.send(request(1, "Slow.Get") + request(2, "Status.Ping"));
  const auto first = slow.take();
  YamuxPeer multi{open(kMulti, 1)};
  const auto stream = multi.open(request(3, "Slow.Get"));
  const auto second = slow.take();

  auto drained = drain();
  // The session takes no new stream once its peer knows, and answers pings.
  multi.read_until([&] { return multi.told_to_go(); });
  slow.cancelled(2);
  reply(first, "\xc2");
  reply(second, "\xc3");
  EXPECT_EQ(single.receive_all(), response(1, "Slow.Get", "\xc2"));
  EXPECT_EQ(multi.receive_all(stream), response(3, "Slow.Get", "\xc3"));
  single.close();
  multi.socket().close();
  drained.wait();
}

// The peer has opened it, and asked, before it could know of the end.
TEST_F(NetrpcLifecycle, ServesAStreamThatMeetsItsGoAway) {
  YamuxPeer multi{open(kMulti)};
  const auto kept = multi.open(request(1, "Status.Ping"));
  EXPECT_EQ(multi.receive(kept, response(1, "Status.Ping").size()), response(1, "Status.Ping"));
  auto drained = drain();
  settle();
  const auto late = multi.open(request(2, "Status.Ping"));
  multi.send(kept, request(3, "Status.Ping"));
  EXPECT_EQ(multi.receive_all(late), response(2, "Status.Ping"));
  EXPECT_EQ(multi.receive_all(kept), response(3, "Status.Ping"));
  multi.socket().close();
  drained.wait();
}

// hashicorp/yamux answers the farewell before what another thread of its client was about to send.
TEST_F(NetrpcLifecycle, ServesWhatComesBehindTheAnswerToItsFarewell) {
  auto single = open(kSingle);
  YamuxPeer multi{open(kMulti)};
  const auto kept = multi.open(request(1, "Status.Ping"));
  EXPECT_EQ(multi.receive(kept, response(1, "Status.Ping").size()), response(1, "Status.Ping"));
  const auto opened = multi.open();
  const auto unused = multi.open();
  auto drained = drain();
  EXPECT_EQ(multi.receive_all(kept), "") << "which was idle; so the answer has come";
  multi.send(opened, request(2, "Status.Ping"));
  EXPECT_EQ(multi.receive_all(opened), response(2, "Status.Ping"));
  multi.socket().send(
      opening(unused + 2, request(3, "Status.Ping"))); // which a session would not do
  for (std::string raw; raw.find(response(3, "Status.Ping")) == raw.npos;)
    raw += multi.socket().receive(1);
  single.send(request(4, "Status.Ping"));
  EXPECT_EQ(single.receive_all(), response(4, "Status.Ping"));
  settle();
  advance(kSecond);
  EXPECT_EQ(multi.receive_all(unused), "");
  EXPECT_TRUE(multi.was_finished(unused));
  single.close();
  multi.socket().close();
  drained.wait();
  EXPECT_THAT(host.closed(2), Each(SY_CLOSE_DRAINED));
}

TEST_F(NetrpcLifecycle, EndsAStreamWhosePeerDoesNotAnswerItsFarewell) {
  YamuxPeer multi{open(kMulti)};
  const auto kept = multi.open(request(1, "Status.Ping"));
  multi.receive(kept, response(1, "Status.Ping").size());
  auto drained = drain();
  settle();
  advance(2 * kSecond);
  EXPECT_EQ(multi.receive_all(kept), "");
  EXPECT_TRUE(multi.was_finished(kept));
  multi.socket().close();
  drained.wait();
}

TEST_F(NetrpcLifecycle, WaitsForAPeersGoodbyeForAWhile) {
  const auto client = open(kSingle);
  auto drained = drain();
  settle();
  advance(kSecond);
  EXPECT_EQ(client.receive_all(), "");
  settle();
  advance(10 * kSecond);
  drained.wait();
}

TEST_F(NetrpcLifecycle, TakesNoConnectionWhileItDrains) {
  const auto client = open(kSingle);
  auto drained = drain();
  settle();
  auto [ours, theirs] = peer::socket_pair();
  host.on_loop(0, [&, descriptor = theirs.release()] {
    auto* connection = host.connect(descriptor);
    EXPECT_EQ(plugin->serve(instance, kSingle, connection), SY_CANCELLED);
    connection->api->close(connection, SY_CLOSE_DRAINED);
  });
  plugin->abort_all(instance);
  drained.wait();
}

TEST_F(NetrpcLifecycle, AbortsEverythingAtOnce) {
  Endpoint slow;
  offer("Slow.Get", slow);
  const auto single = open(kSingle);
  single.send(request(1, "Slow.Get"));
  YamuxPeer multi{open(kMulti, 1)};
  multi.open(request(2, "Slow.Get"));
  const auto first = slow.take();
  const auto second = slow.take();
  auto drained = drain();
  plugin->abort_all(instance);
  EXPECT_EQ(single.receive_all(), "");
  static_cast<void>(multi.socket().receive_all()); // nobody would hear an answer to the farewell
  EXPECT_THAT(host.closed(2), Each(SY_CLOSE_DRAINED));
  slow.cancelled(2);
  reply(first, "\xc3");
  fail(second, "cancelled");
  drained.wait();
}

TEST_F(NetrpcLifecycle, StopsWithoutADrain) {
  const auto single = open(kSingle);
  single.send(request(1, "Status.Ping"));
  EXPECT_EQ(single.receive(40), response(1, "Status.Ping"));
  bring_down();
  EXPECT_EQ(single.receive_all(), "");
}

// An endpoint that hangs in a call of the control thread has the host give the plugin up, with
// connections that it serves and calls that are answered later.
TEST_F(NetrpcLifecycle, EndsNothingButItselfWhenItIsGivenUp) {
  Endpoint slow;
  offer("Slow.Get", slow);
  auto waiting = open(kSingle);
  waiting.send(request(1, "Slow.Get"));
  const auto held = slow.take();
  auto other = open(kSingle, 1);
  const auto& client =
      *static_cast<const sy_netrpc_client*>(plugin->query(instance, SY_NETRPC_CLIENT));

  host.stopped = true;
  reply(held, "\xc3");
  other.send(request(2, "Status.Ping").substr(0, 10));
  settle();
  other.send(request(2, "Status.Ping").substr(10));
  EXPECT_EQ(other.receive(response(2, "Status.Ping").size()), response(2, "Status.Ping"));
  sy_netrpc_invocation* invocation = nullptr;
  const sy_netrpc_request call{
      .struct_size = sizeof call,
      .tls = SY_DIAL_CLEAR,
      .address = text("127.0.0.1:1"),
      .server_name = {},
      .method = text("Status.Ping"),
      .body = {"\x80", 1},
      .timeout = kSecond};
  const auto never = [](void*, sy_status, sy_string, sy_bytes) { FAIL(); };
  EXPECT_EQ(client.call(instance, &call, never, nullptr, &invocation), SY_CANCELLED);

  static const auto* const stays = std::exchange(instance, nullptr); // as its code does
  EXPECT_NE(stays, nullptr);
}

TEST_F(NetrpcLifecycle, TakesAnswersFromAnyThread) {
  Endpoint endpoint;
  offer("KVS.Get", endpoint);
  constexpr int kCalls = 2000;
  std::thread registrant{[&] {
    for (int i = 0; i < kCalls; ++i)
      reply(endpoint.take(), "\xc3");
  }};
  YamuxPeer clients[] = {YamuxPeer{open(kMulti, 0)}, YamuxPeer{open(kMulti, 1)}};
  const auto answer = response(1, "KVS.Get", "\xc3");
  std::uint32_t streams[2] = {clients[0].open(), clients[1].open()};
  for (int i = 0; i < kCalls / 2; ++i) {
    for (const std::size_t at : {0u, 1u})
      clients[at].send(streams[at], request(1, "KVS.Get"));
    for (const std::size_t at : {0u, 1u}) {
      ASSERT_EQ(clients[at].receive(streams[at], answer.size()), answer);
    }
  }
  registrant.join();
}

} // namespace
} // namespace switchyard::netrpc::test

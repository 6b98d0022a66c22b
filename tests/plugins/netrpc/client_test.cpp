// switchyard.netrpc.client/1, against the plugin's own server and against servers the test plays.
#include "netrpc.hpp"
#include "yamux_peer.hpp"

#include <switchyard/netrpc/client.h>

#include <tests/peer/fake_dial.hpp>

namespace switchyard::netrpc::test {
namespace {

using peer::FakeDial;

/// A call and what became of it.
class Asked {
public:
  struct Outcome {
    sy_status status;
    std::string error;
    std::string reply;

    friend bool operator==(const Outcome&, const Outcome&) = default;

    friend std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
      return out << outcome.status << " '" << outcome.error << "' '" << outcome.reply << '\'';
    }
  };

  static void done(void* context, sy_status status, sy_string error, sy_bytes reply) {
    static_cast<Asked*>(context)->promise_.set_value(
        {status,
         std::string{error.data, error.size},
         std::string{static_cast<const char*>(reply.data), reply.size}});
  }

  /// Waits for it.
  Outcome outcome() { return promise_.get_future().get(); }

  sy_netrpc_invocation* invocation = nullptr;

private:
  std::promise<Outcome> promise_;
};

using Outcome = Asked::Outcome;

class NetrpcClient : public Netrpc {
protected:
  [[nodiscard]] const sy_netrpc_client& client() {
    return *static_cast<const sy_netrpc_client*>(plugin->query(instance, SY_NETRPC_CLIENT));
  }

  static sy_netrpc_request to(std::string_view address, std::string_view method) {
    sy_netrpc_request request{};
    request.struct_size = sizeof request;
    request.tls = SY_DIAL_CLEAR;
    request.address = text(address);
    request.method = text(method);
    request.body = {"\x80", 1};
    request.timeout = 10 * kSecond;
    return request;
  }

  void call(Asked& asked, const sy_netrpc_request& request) {
    EXPECT_EQ(client().call(instance, &request, &Asked::done, &asked, &asked.invocation), SY_OK);
  }

  void call(Asked& asked, std::string_view method = "Status.Ping") {
    call(asked, to("127.0.0.1:8300", method));
  }

  /// Lets the next dial reach the plugin's own server.
  void reach_ourselves() {
    auto [ours, theirs] = peer::socket_pair();
    host.on_loop(1, [&, descriptor = theirs.release()] {
      EXPECT_EQ(plugin->serve(instance, kMulti, host.connect(descriptor)), SY_OK);
    });
    dials.connected(dials.take(), ours.release());
  }

  /// Lets the next dial reach a server that the test plays.
  YamuxPeer reach_test() {
    auto [ours, theirs] = peer::socket_pair();
    dials.connected(dials.take(), theirs.release());
    return YamuxPeer{std::move(ours), yamux::Role::Server};
  }

  FakeDial dials{host};
};

TEST_F(NetrpcClient, CallsAndUsesItsStreamAgain) {
  for (int i = 0; i < 3; ++i) {
    Asked asked;
    call(asked);
    if (i == 0) reach_ourselves();
    EXPECT_EQ(asked.outcome(), (Outcome{SY_OK, "", "\x80"}));
    settle();
    EXPECT_EQ(host.metric("client_sessions"), 1);
    EXPECT_EQ(host.metric("client_calls_total"), i + 1);
    EXPECT_EQ(host.metric("streams"), 1);
  }
  EXPECT_EQ(dials.waiting(), 0u);
}

TEST_F(NetrpcClient, DialsWithWhatTheRequestSays) {
  const struct {
    sy_dial_tls tls;
    std::int32_t tag;
    std::string_view alpn;
  } cases[] = {
      {SY_DIAL_CLEAR, 4, ""},
      {SY_DIAL_TLS, 4, ""},
      {SY_DIAL_OUTGOING, 4, ""},
      {SY_DIAL_ALPN, SY_DIAL_NO_TAG, "consul/rpc-multi"},
  };

  for (const auto& c : cases) {
    Asked asked;
    auto request = to("10.0.0.1:8300", "Status.Ping");
    request.tls = c.tls;
    request.server_name = text("server.dc1.consul");
    call(asked, request);
    const auto dial = dials.take();
    EXPECT_EQ(dial.tls, c.tls);
    EXPECT_EQ(dial.tag, c.tag);
    EXPECT_EQ(dial.alpn, c.alpn);
    EXPECT_EQ(dial.address, "10.0.0.1:8300");
    EXPECT_EQ(dial.server_name, "server.dc1.consul");
    dials.failed(dial, SY_REFUSED);
    EXPECT_EQ(asked.outcome().status, SY_REFUSED);
  }
}

TEST_F(NetrpcClient, SharesOneDialAndOneSession) {
  Endpoint slow;
  offer("Slow.Get", slow);
  Asked asked[3];
  for (auto& each : asked)
    call(each, "Slow.Get");
  reach_ourselves();
  EXPECT_EQ(dials.waiting(), 0u);
  Endpoint::Held held[] = {slow.take(), slow.take(), slow.take()};
  reply(
      held[2],
      "\xa1"
      "3");
  reply(
      held[0],
      "\xa1"
      "1");
  fail(held[1], "No cluster leader");
  EXPECT_EQ(
      asked[0].outcome().reply,
      "\xa1"
      "1");
  EXPECT_EQ(asked[1].outcome(), (Outcome{SY_OK, "No cluster leader", "\x80"}));
  EXPECT_EQ(
      asked[2].outcome().reply,
      "\xa1"
      "3");
}

TEST_F(NetrpcClient, KeepsServersApart) {
  Asked first;
  Asked second;
  call(first, to("127.0.0.1:1", "Status.Ping"));
  call(second, to("127.0.0.1:2", "Status.Ping"));
  reach_ourselves();
  reach_ourselves();
  EXPECT_EQ(first.outcome().status, SY_OK);
  EXPECT_EQ(second.outcome().status, SY_OK);
  settle();
  EXPECT_EQ(host.metric("client_sessions"), 2);
}

TEST_F(NetrpcClient, DiscardsAStreamAfterAnErrorText) {
  Asked ping;
  call(ping);
  auto server = reach_test();
  const auto request_size = request(1, "Status.Ping").size();
  EXPECT_EQ(server.receive(1, request_size), request(1, "Status.Ping"));
  server.send(1, failure(1, "Status.Ping", "Permission denied"));
  EXPECT_EQ(ping.outcome(), (Outcome{SY_OK, "Permission denied", "\x80"}));
  EXPECT_EQ(server.receive_all(1), "");
  EXPECT_TRUE(server.was_finished(1));

  Asked next;
  call(next);
  EXPECT_EQ(server.receive(3, request_size), request(2, "Status.Ping"));
  server.send(3, response(2, "Status.Ping"));
  EXPECT_EQ(next.outcome().status, SY_OK);
}

TEST_F(NetrpcClient, UsesTheStreamFirstThatWasUsedLast) {
  Asked asked[3];
  call(asked[0]);
  auto server = reach_test();
  call(asked[1]);
  const auto size = request(1, "Status.Ping").size();
  server.receive(1, size);
  server.receive(3, size);
  server.send(3, response(2, "Status.Ping"));
  asked[1].outcome();
  server.send(1, response(1, "Status.Ping"));
  asked[0].outcome();
  call(asked[2]);
  EXPECT_EQ(server.receive(1, size), request(3, "Status.Ping"));
  server.send(1, response(3, "Status.Ping"));
  asked[2].outcome();
}

TEST_F(NetrpcClient, TellsEveryCallerThatADialFailedAndDialsAgain) {
  Asked asked[3];
  call(asked[0]);
  const auto dial = dials.take();
  call(asked[1]);
  settle();
  dials.failed(dial, SY_TIMED_OUT);
  EXPECT_EQ(asked[0].outcome().status, SY_TIMED_OUT);
  EXPECT_EQ(asked[1].outcome().status, SY_TIMED_OUT);
  call(asked[2]);
  reach_ourselves();
  EXPECT_EQ(asked[2].outcome().status, SY_OK);
}

TEST_F(NetrpcClient, EndsACallWhoseTimeIsUp) {
  Endpoint slow;
  offer("Slow.Get", slow);
  Asked dialling;
  call(dialling, "Slow.Get");
  const auto dial = dials.take();
  advance(10 * kSecond);
  EXPECT_EQ(dialling.outcome().status, SY_TIMED_OUT);
  auto [ours, theirs] = peer::socket_pair();
  dials.connected(dial, theirs.release());
  EXPECT_EQ(ours.receive_all(), "") << "nobody wants the connection any more";

  Asked called;
  call(called, "Slow.Get");
  reach_ourselves();
  const auto held = slow.take();
  advance(10 * kSecond);
  EXPECT_EQ(called.outcome().status, SY_TIMED_OUT);
  EXPECT_EQ(slow.cancelled(1).at(0), held.call) << "the stream is reset";
  reply(held, "\xc0");

  Asked after;
  call(after);
  EXPECT_EQ(after.outcome().status, SY_OK) << "on the same session";
}

TEST_F(NetrpcClient, EndsACallThatIsCancelled) {
  Endpoint slow;
  offer("Slow.Get", slow);
  Asked dialling;
  call(dialling, "Slow.Get");
  const auto dial = dials.take();
  client().cancel(instance, dialling.invocation);
  EXPECT_EQ(dialling.outcome().status, SY_CANCELLED);
  dials.failed(dial, SY_REFUSED);

  Asked called;
  call(called, "Slow.Get");
  reach_ourselves();
  const auto held = slow.take();
  client().cancel(instance, called.invocation);
  EXPECT_EQ(called.outcome().status, SY_CANCELLED);
  EXPECT_EQ(slow.cancelled(1).at(0), held.call);
  fail(held, "cancelled");
}

TEST_F(NetrpcClient, LeavesASessionThatGoesAway) {
  Asked old;
  call(old);
  auto server = reach_test();
  server.receive(1, request(1, "Status.Ping").size());
  server.go_away();
  settle();
  Asked fresh;
  call(fresh);
  reach_ourselves();
  EXPECT_EQ(fresh.outcome().status, SY_OK);
  server.send(1, response(1, "Status.Ping"));
  EXPECT_EQ(old.outcome().status, SY_OK);
  server.read_to_end();
}

TEST_F(NetrpcClient, TellsEveryCallerThatTheServerHasGone) {
  Asked asked[2];
  for (auto& each : asked)
    call(each);
  auto server = reach_test();
  server.receive(3, request(1, "Status.Ping").size());
  server.socket().close();
  for (auto& each : asked)
    EXPECT_EQ(each.outcome().status, SY_CLOSED);
  Asked next;
  call(next);
  reach_ourselves();
  EXPECT_EQ(next.outcome().status, SY_OK);
}

TEST_F(NetrpcClient, TellsACallerWhoseStreamIsClosed) {
  Asked asked[2];
  for (auto& each : asked)
    call(each);
  auto server = reach_test();
  server.receive(3, request(1, "Status.Ping").size());
  server.finish(1);
  EXPECT_EQ(asked[0].outcome().status, SY_CLOSED);
  server.reset(3);
  EXPECT_EQ(asked[1].outcome().status, SY_CLOSED);
  Asked next;
  call(next);
  server.receive(5, request(1, "Status.Ping").size());
  server.send(5, response(3, "Status.Ping"));
  EXPECT_EQ(next.outcome().status, SY_OK);
}

TEST_F(NetrpcClient, ResetsAStreamThatTalksNonsense) {
  const struct {
    std::string_view name;
    std::string answer;
  } cases[] = {
      {"no object", "\xc1"},
      {"no header", "\x05"},
      {"no body", response(1, "Status.Ping", "\xc1")},
      {"the answer of another call", response(9, "Status.Ping")},
      {"a body above the limit", response(1, "Status.Ping", "\xdb\xff\xff\xff\xff")},
  };

  std::uint32_t stream = 1;
  std::optional<YamuxPeer> server;
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    Asked asked;
    call(asked);
    if (!server) server.emplace(reach_test());
    server->receive(stream, request(1, "Status.Ping").size());
    server->send(stream, c.answer);
    EXPECT_EQ(asked.outcome().status, SY_INVALID);
    EXPECT_EQ(server->receive_all(stream), "");
    EXPECT_TRUE(server->was_reset(stream));
    stream += 2;
  }
}

TEST_F(NetrpcClient, TakesAnAnswerInAnyPieces) {
  const auto answer = response(1, "Status.Ping", "\x81\xa3key\x93\x01\x02\x03");
  for (std::size_t cut = 1; cut < answer.size(); ++cut) {
    SCOPED_TRACE(cut);
    Asked asked;
    call(asked, to("127.0.0.1:" + std::to_string(cut), "Status.Ping"));
    auto server = reach_test();
    server.receive(1, request(1, "Status.Ping").size());
    server.send(1, answer.substr(0, cut));
    settle();
    server.send(1, answer.substr(cut));
    EXPECT_EQ(asked.outcome(), (Outcome{SY_OK, "", "\x81\xa3key\x93\x01\x02\x03"}));
  }
}

TEST_F(NetrpcClient, SendsAndTakesMoreThanAWindow) {
  Endpoint endpoint;
  offer("KVS.Apply", endpoint);
  std::string body{"\xdb\x00\x20\x00\x00", 5};
  body.append(0x200000, 'x');
  Asked asked;
  auto wanted = to("127.0.0.1:8300", "KVS.Apply");
  wanted.body = {body.data(), body.size()};
  call(asked, wanted);
  reach_ourselves();
  const auto held = endpoint.take();
  EXPECT_TRUE(held.body == body);
  reply(held, body);
  EXPECT_TRUE(asked.outcome().reply == body);
}

TEST_F(NetrpcClient, QueuesCallsForWhichThereIsNoStream) {
  // 256 streams may wait for the server's ACK.
  std::deque<Asked> asked(300);
  for (auto& each : asked)
    call(each);
  auto [ours, theirs] = peer::socket_pair();
  dials.connected(dials.take(), theirs.release());
  settle();
  YamuxPeer server{std::move(ours), yamux::Role::Server};
  const auto size = request(1, "Status.Ping").size();
  server.receive(511, size);
  server.receive(599, size);
  server.socket().close();
  for (auto& each : asked)
    EXPECT_EQ(each.outcome().status, SY_CLOSED);
}

TEST_F(NetrpcClient, ClosesASessionThatIsNotUsed) {
  Asked asked;
  call(asked);
  auto server = reach_test();
  server.receive(1, request(1, "Status.Ping").size());
  server.send(1, response(1, "Status.Ping"));
  asked.outcome();
  settle();
  advance(30 * kSecond);
  advance(30 * kSecond);
  EXPECT_TRUE(server.read()) << "a ping, which is answered";
  settle();
  advance(30 * kSecond);
  advance(29 * kSecond);
  EXPECT_EQ(host.connections, 1);
  advance(kSecond);
  server.read_to_end();
  EXPECT_TRUE(server.was_finished(1));
  server.socket().close();
  EXPECT_EQ(host.closed(1).at(0), SY_CLOSE_FINISHED);
}

TEST_F(NetrpcClient, RefusesARequestThatSaysTooLittle) {
  Asked asked;
  const auto good = to("127.0.0.1:8300", "Status.Ping");
  auto bad = good;
  bad.address = text("");
  const auto refused = [&] {
    EXPECT_EQ(client().call(instance, &bad, &Asked::done, &asked, &asked.invocation), SY_INVALID);
    bad = good;
  };
  refused();
  bad.tls = SY_DIAL_INSECURE;
  refused();
  bad.method = text("");
  refused();
  bad.body = {nullptr, 0};
  refused();
  bad.timeout = 0;
  refused();
  bad.timeout = UINT64_MAX;
  refused();
  bad.struct_size = 8;
  refused();
}

TEST_F(NetrpcClient, FinishesItsCallsBeforeItIsDrained) {
  Asked asked;
  call(asked);
  auto server = reach_test();
  server.receive(1, request(1, "Status.Ping").size());
  auto drained = drain();
  settle();
  Asked late;
  call(late);
  EXPECT_EQ(late.outcome().status, SY_CANCELLED);
  server.send(1, response(1, "Status.Ping"));
  EXPECT_EQ(asked.outcome().status, SY_OK);
  server.read_to_end();
  server.socket().close();
  drained.wait();
}

// A consumer that cancels after a swap does so through the lease that it gets then.
TEST_F(NetrpcClient, LeavesTheCallsOfAnotherGenerationAlone) {
  Endpoint slow;
  offer("Slow.Get", slow);
  Asked called;
  call(called, "Slow.Get");
  reach_ourselves();
  const auto held = slow.take();
  peer::FakeHost next_host;
  next_host.offer(SY_JOURNAL, journal.table());
  sy_instance* next = nullptr;
  ASSERT_EQ(plugin->init(next_host.get(), text("{}"), &next, &error), SY_OK) << error.text;
  client().cancel(next, called.invocation);
  reply(held, "\xc3");
  EXPECT_EQ(called.outcome().status, SY_OK);
  EXPECT_EQ(plugin->stop(next, &error), SY_OK) << error.text;
  next_host.on_loop(0, [] {}); // what was posted has returned
  plugin->destroy(next);
}

TEST_F(NetrpcClient, CancelsItsCallsWhenItIsAborted) {
  Asked called;
  call(called);
  auto server = reach_test();
  server.receive(1, request(1, "Status.Ping").size());
  Asked dialling;
  call(dialling, to("127.0.0.1:1", "Status.Ping"));
  const auto dial = dials.take();
  plugin->abort_all(instance);
  EXPECT_EQ(called.outcome().status, SY_CANCELLED);
  EXPECT_EQ(dialling.outcome().status, SY_CANCELLED);
  server.read_to_end();
  dials.failed(dial, SY_REFUSED);
}

} // namespace
} // namespace switchyard::netrpc::test

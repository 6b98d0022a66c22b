// What a peer can make the plugin hold or wait for.
#include "netrpc.hpp"
#include "yamux_peer.hpp"

#include <tests/proto/yamux/frames.hpp>

namespace switchyard::netrpc::test {
namespace {

using testing::Each;

class NetrpcLimits : public Netrpc {
protected:
  /// Sends `bytes` over and over until the other side takes no more; returns how many went.
  std::size_t stuff(const Socket& socket, std::string_view bytes) {
    std::size_t total = 0;
    for (int refused = 0; refused < 2;) {
      const auto sent =
          ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0) {
        ++refused;
        settle();
        continue;
      }
      EXPECT_EQ(static_cast<std::size_t>(sent), bytes.size());
      refused = 0;
      total += static_cast<std::size_t>(sent);
    }
    return total;
  }
};

/// Each test brings the plugin up with a configuration of its own.
class NetrpcConfigured : public NetrpcLimits {
protected:
  void SetUp() override {}
};

TEST_F(NetrpcLimits, EndsAConnectionThatDoesNotFinishItsRequest) {
  const auto whole = request(1, "Status.Ping", "\x81\xa3key\xc0");
  for (const std::size_t size : {std::size_t{1}, whole.size() - 1}) {
    SCOPED_TRACE(size);
    const auto client = open(kSingle);
    client.send(whole.substr(0, size));
    settle();
    advance(9 * kSecond);
    EXPECT_EQ(host.connections, 1);
    advance(kSecond);
    EXPECT_EQ(client.receive_all(), "");
  }
  EXPECT_THAT(host.closed(2), Each(SY_CLOSE_TIMED_OUT));
}

TEST_F(NetrpcLimits, LetsAPeerBeSilentBetweenRequests) {
  const auto client = open(kSingle);
  for (const std::uint64_t seq : {1u, 2u}) {
    client.send(request(seq, "Status.Ping"));
    EXPECT_EQ(client.receive(40), response(seq, "Status.Ping"));
    advance(24 * 3600 * kSecond);
  }
}

TEST_F(NetrpcLimits, CountsNoTimeWhileAnEndpointIsAtWork) {
  Endpoint slow;
  offer("Slow.Get", slow);
  const auto client = open(kSingle);
  client.send(request(1, "Slow.Get") + request(2, "Status.Ping").substr(0, 20));
  const auto held = slow.take();
  advance(3600 * kSecond);
  reply(held, "\xc3");
  const auto answer = response(1, "Slow.Get", "\xc3");
  EXPECT_EQ(client.receive(answer.size()), answer);
  settle();
  advance(10 * kSecond);
  EXPECT_THAT(host.closed(1), Each(SY_CLOSE_TIMED_OUT));
}

TEST_F(NetrpcLimits, ResetsOnlyTheStreamThatDoesNotFinishItsRequest) {
  YamuxPeer client{open(kMulti)};
  const auto slow = client.open(request(1, "Status.Ping").substr(0, 20));
  const auto other = client.open(request(2, "Status.Ping"));
  EXPECT_EQ(client.receive(other, 40), response(2, "Status.Ping"));
  advance(10 * kSecond);
  EXPECT_EQ(client.receive_all(slow), "");
  EXPECT_TRUE(client.was_reset(slow));
  client.send(other, request(3, "Status.Ping"));
  EXPECT_EQ(client.receive(other, 40), response(3, "Status.Ping"));
}

TEST_F(NetrpcLimits, RefusesALengthThatItNeverTakesBeforeTheBytesCome) {
  const auto client = open(kSingle);
  client.send(request(
      1,
      "Status.Ping",
      "\xdb\xff\xff\xff\xff"
      "12345"));
  EXPECT_THAT(client.receive_all(), testing::HasSubstr("codec.decoder: "));
}

TEST_F(NetrpcConfigured, RefusesABodyAboveTheConfiguredSize) {
  bring_up(R"({"max_body_bytes": 2000})");
  Endpoint endpoint;
  offer("KVS.Apply", endpoint);
  const std::string fits = std::string{"\xda\x07\xcd", 3} + std::string(1997, 'x');
  const std::string above = std::string{"\xda\x07\xce", 3} + std::string(1998, 'x');
  const auto client = open(kSingle);
  client.send(request(1, "KVS.Apply", fits));
  reply(endpoint.take(), "\xc3");
  const auto answer = response(1, "KVS.Apply", "\xc3");
  EXPECT_EQ(client.receive(answer.size()), answer);
  client.send(request(2, "KVS.Apply", above));
  EXPECT_THAT(client.receive_all(), testing::HasSubstr("codec.decoder: "));
}

TEST_F(NetrpcConfigured, HoldsNoMoreOfAllUnfinishedRequestsTogether) {
  bring_up(R"({"max_body_bytes": 100000})");
  const auto client = open(kMulti);
  const auto part =
      request(1, "Status.Ping", std::string{"\xdb\x00\x01\x80\x00", 5}) + std::string(90'000, 'x');
  for (const std::uint32_t stream : {1u, 3u, 5u, 7u, 9u}) {
    const auto wire = yamux::test::data(stream, part, static_cast<std::uint16_t>(yamux::Flag::Syn));
    // The last ones may find the connection closed.
    static_cast<void>(::send(client.get(), wire.data(), wire.size(), MSG_NOSIGNAL));
  }
  EXPECT_THAT(host.closed(1), Each(SY_CLOSE_LIMIT));
}

TEST_F(NetrpcConfigured, ResetsStreamsAboveTheConfiguredNumber) {
  bring_up(R"({"max_streams": 2})");
  YamuxPeer client{open(kMulti)};
  const auto first = client.open();
  client.open();
  const auto third = client.open(request(1, "Status.Ping"));
  EXPECT_EQ(client.receive_all(third), "");
  EXPECT_TRUE(client.was_reset(third));
  client.finish(first);
  client.receive_all(first);
  const auto fourth = client.open(request(1, "Status.Ping"));
  EXPECT_EQ(client.receive(fourth, 40), response(1, "Status.Ping"));
}

TEST_F(NetrpcLimits, StopsReadingFromAPeerThatTakesNoAnswers) {
  const auto client = open(kSingle);
  EXPECT_LT(stuff(client, request(1, "Status.Ping")), 2u << 20);
  advance(30 * kSecond);
  EXPECT_THAT(host.closed(1), Each(SY_CLOSE_TIMED_OUT));
}

TEST_F(NetrpcLimits, StopsReadingPingsOfAPeerThatTakesNoAnswers) {
  const auto client = open(kMulti);
  EXPECT_LT(
      stuff(client, std::string{"\x00\x02\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01", 12}), 2u << 20);
  advance(30 * kSecond);
  EXPECT_THAT(host.closed(1), Each(SY_CLOSE_TIMED_OUT));
}

TEST_F(NetrpcLimits, GoesOnWithAPeerThatTakesItsAnswersLate) {
  const auto client = open(kSingle);
  const auto sent = stuff(client, request(1, "Status.Ping"));
  const auto answers = sent / request(1, "Status.Ping").size();
  const auto answer = response(1, "Status.Ping");
  std::string expected;
  for (std::size_t i = 0; i < answers; ++i)
    expected += answer;
  EXPECT_TRUE(client.receive(expected.size()) == expected);
  advance(3600 * kSecond);
  EXPECT_EQ(host.connections, 1);
}

TEST_F(NetrpcLimits, StopsReadingWhatIsPipelinedBehindARequestInProgress) {
  Endpoint slow;
  offer("Slow.Get", slow);
  const auto client = open(kSingle);
  client.send(request(1, "Slow.Get"));
  const auto held = slow.take();
  const auto sent = stuff(client, request(2, "Status.Ping"));
  EXPECT_LT(sent, 1u << 20);
  reply(held, "\xc3");
  const auto first = response(1, "Slow.Get", "\xc3");
  EXPECT_EQ(client.receive(first.size()), first);
  const auto answers = sent / request(2, "Status.Ping").size();
  const auto rest = client.receive(answers * response(2, "Status.Ping").size());
  EXPECT_TRUE(rest.ends_with(response(2, "Status.Ping")));
}

TEST_F(NetrpcLimits, ResetsAStreamWhosePeerOpensNoWindow) {
  Endpoint endpoint;
  offer("KVS.List", endpoint);
  YamuxPeer client{open(kMulti)};
  client.miserly = true;
  const auto stream = client.open(request(1, "KVS.List"));
  reply(endpoint.take(), std::string{"\xdb\x00\x10\x00\x00", 5} + std::string(0x100000, 'x'));
  EXPECT_EQ(client.receive(stream, yamux::kWindow).size(), yamux::kWindow);
  settle();
  advance(29 * kSecond);
  const auto other = client.open(request(2, "Status.Ping"));
  EXPECT_EQ(client.receive(other, 40), response(2, "Status.Ping"));
  advance(kSecond);
  EXPECT_EQ(client.receive_all(stream), "");
  EXPECT_TRUE(client.was_reset(stream));
}

TEST_F(NetrpcLimits, OutlivesTenThousandStreamsOpenedAndReset) {
  YamuxPeer client{open(kMulti)};
  for (int i = 0; i < 10'000; ++i)
    client.reset(client.open());
  const auto stream = client.open(request(1, "Status.Ping"));
  EXPECT_EQ(client.receive(stream, 40), response(1, "Status.Ping"));
  settle();
  EXPECT_EQ(host.metric("streams"), 1);
}

} // namespace
} // namespace switchyard::netrpc::test

// Conversations in the streams of a yamux session: tag 4.
#include "netrpc.hpp"
#include "yamux_peer.hpp"

#include <tests/proto/yamux/frames.hpp>

namespace switchyard::netrpc::test {
namespace {

using yamux::Flag;
using yamux::test::flags;
using yamux::test::operator+;

std::string as_text(const yamux::test::Bytes& bytes) {
  return std::string{yamux::test::text(bytes)};
}

class NetrpcMulti : public Netrpc {
protected:
  YamuxPeer dial(std::uint32_t loop = 0) { return YamuxPeer{open(kMulti, loop)}; }
};

TEST_F(NetrpcMulti, AnswersPingWithTheFramesOfConsul) {
  const auto client = open(kMulti);
  client.send(as_text(
      yamux::test::window(1, flags({Flag::Syn})) +
      yamux::test::data(1, request(1, "Status.Ping"))));
  const auto answer = as_text(
      yamux::test::window(1, flags({Flag::Ack})) +
      yamux::test::data(1, response(1, "Status.Ping")));
  EXPECT_EQ(client.receive(answer.size()), answer);
}

TEST_F(NetrpcMulti, ServesEachStreamInItsOrderAndNoneWaitsForAnother) {
  Endpoint slow;
  offer("Slow.Get", slow);
  auto client = dial();
  const auto first = client.open(request(1, "Slow.Get") + request(2, "Status.Ping"));
  const auto second = client.open(request(3, "Status.Ping"));
  EXPECT_EQ(client.receive(second, 40), response(3, "Status.Ping"));
  reply(slow.take(), "\xc3");
  const auto answers = response(1, "Slow.Get", "\xc3") + response(2, "Status.Ping");
  EXPECT_EQ(client.receive(first, answers.size()), answers);
}

TEST_F(NetrpcMulti, IsNotHeldUpByAStreamWithoutAByte) {
  auto client = dial();
  const auto silent = client.open();
  const auto other = client.open(request(1, "Status.Ping"));
  EXPECT_EQ(client.receive(other, 40), response(1, "Status.Ping"));
  client.send(silent, request(2, "Status.Ping"));
  EXPECT_EQ(client.receive(silent, 40), response(2, "Status.Ping"));
}

TEST_F(NetrpcMulti, EndsOnlyTheStreamThatIsFinishedOrResetBeforeItsFirstByte) {
  auto client = dial();
  const auto finished = client.open();
  client.finish(finished);
  EXPECT_EQ(client.receive_all(finished), "");
  EXPECT_TRUE(client.was_finished(finished));
  client.reset(client.open());
  const auto other = client.open(request(1, "Status.Ping"));
  EXPECT_EQ(client.receive(other, 40), response(1, "Status.Ping"));
}

TEST_F(NetrpcMulti, FinishesOnlyTheStreamThatWentWrong) {
  const struct {
    std::string_view name;
    std::string sent;
    std::string received;
  } cases[] = {
      {"no object", "\xc1\xc1\xc1", ""},
      {"network gossip, which is Enterprise's", std::string{"\x06\x00\x00", 3}, ""},
      {"unknown method",
       request(1, "Status.Nope"),
       failure(1, "Status.Nope", "rpc: can't find method Status.Nope")},
  };

  auto client = dial();
  const auto other = client.open(request(1, "Status.Ping"));
  EXPECT_EQ(client.receive(other, 40), response(1, "Status.Ping"));
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const auto stream = client.open(c.sent + request(2, "Status.Ping"));
    EXPECT_EQ(client.receive_all(stream), c.received);
    EXPECT_TRUE(client.was_finished(stream));
    client.send(stream, "too late");
    client.finish(stream);
    client.send(other, request(3, "Status.Ping"));
    EXPECT_EQ(client.receive(other, 40), response(3, "Status.Ping"));
  }
}

TEST_F(NetrpcMulti, AnswersAStreamThatItsClientHasFinished) {
  Endpoint slow;
  offer("Slow.Get", slow);
  auto client = dial();
  const auto stream = client.open(request(1, "Slow.Get"));
  client.finish(stream);
  reply(slow.take(), "\xc3");
  EXPECT_EQ(client.receive_all(stream), response(1, "Slow.Get", "\xc3"));
}

TEST_F(NetrpcMulti, TellsEndpointsWhoseCallersHaveGone) {
  Endpoint slow;
  offer("Slow.Get", slow);
  auto client = dial();
  const auto stream = client.open(request(1, "Slow.Get"));
  const auto reset = slow.take();
  client.reset(stream);
  EXPECT_EQ(slow.cancelled(1).at(0), reset.call);

  client.open(request(2, "Slow.Get"));
  const auto closed = slow.take();
  client.socket().close();
  EXPECT_EQ(slow.cancelled(2).at(1), closed.call);
  EXPECT_EQ(host.closed(1).at(0), SY_CLOSE_PEER_GONE);

  reply(reset, "\xc3"); // to nobody
  fail(closed, "too late");
}

TEST_F(NetrpcMulti, SendsAndTakesMoreThanAWindow) {
  Endpoint endpoint;
  offer("KVS.Apply", endpoint);
  auto client = dial();
  std::string body{"\xdb\x00\x10\x00\x00", 5};
  body.append(0x100000, 'x');
  const auto sent = request(1, "KVS.Apply", body);
  // In pieces of half a window, each after the one before has been granted again.
  const auto stream = client.open();
  for (std::size_t at = 0; at < sent.size(); at += yamux::kWindow / 2) {
    client.send(stream, sent.substr(at, yamux::kWindow / 2));
    settle();
    client.send(client.open(), request(2, "Status.Ping")); // and its answer brings the grant
    client.receive(stream + 2 + 2 * static_cast<std::uint32_t>(at / (yamux::kWindow / 2)), 40);
  }
  const auto held = endpoint.take();
  EXPECT_TRUE(held.body == body);
  reply(held, body);
  const auto answer = response(1, "KVS.Apply", body);
  EXPECT_TRUE(client.receive(stream, answer.size()) == answer);
}

TEST_F(NetrpcMulti, EndsTheSessionWhenThePeerBreaksTheProtocol) {
  const auto client = open(kMulti);
  client.send(as_text(
      yamux::test::window(1, flags({Flag::Syn})) + yamux::test::window(1, flags({Flag::Syn}))));
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_EQ(host.closed(1).at(0), SY_CLOSE_PROTOCOL_ERROR);
  EXPECT_THAT(host.lines(), testing::ElementsAre(testing::HasSubstr("yamux stream opened twice")));
}

TEST_F(NetrpcMulti, EndsWithItsPeer) {
  auto client = dial();
  const auto stream = client.open(request(1, "Status.Ping"));
  client.receive(stream, 40);
  client.finish(stream);
  client.receive_all(stream);
  client.socket().close();
  EXPECT_EQ(host.closed(1).at(0), SY_CLOSE_FINISHED);
}

TEST_F(NetrpcMulti, PingsASilentPeerAndEndsWithoutAnAnswer) {
  const auto client = open(kMulti);
  settle();
  advance(30 * kSecond);
  EXPECT_EQ(client.receive(12), as_text(yamux::test::ping(flags({Flag::Syn}), 0)));
  client.send(as_text(yamux::test::ping(flags({Flag::Ack}), 0)));
  settle();
  advance(10 * kSecond);
  advance(30 * kSecond);
  EXPECT_EQ(client.receive(12), as_text(yamux::test::ping(flags({Flag::Syn}), 1)));
  advance(10 * kSecond);
  EXPECT_EQ(host.closed(1).at(0), SY_CLOSE_TIMED_OUT);
}

TEST_F(NetrpcMulti, CountsWhatItServes) {
  auto client = dial();
  const auto first = client.open(request(1, "Status.Ping"));
  client.receive(first, 40);
  const auto second = client.open(request(2, "Status.Nope"));
  client.receive_all(second);
  settle();
  EXPECT_EQ(host.metric("sessions"), 1);
  EXPECT_EQ(host.metric("streams"), 1);
  EXPECT_EQ(host.metric("requests_total"), 2);
  EXPECT_EQ(host.metric("errors_total"), 1);
}

} // namespace
} // namespace switchyard::netrpc::test

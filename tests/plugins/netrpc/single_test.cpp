// One conversation on a connection of its own: tags 0 and 7.
#include "netrpc.hpp"

namespace switchyard::netrpc::test {
namespace {

using testing::ElementsAre;

class NetrpcSingle : public Netrpc {};

TEST_F(NetrpcSingle, AnswersPing) {
  const auto client = open(kSingle);
  client.send(request(1, "Status.Ping"));
  const auto answer = response(1, "Status.Ping");
  EXPECT_EQ(client.receive(answer.size()), answer);
}

TEST_F(NetrpcSingle, AnswersRequestsInTheirOrder) {
  Endpoint slow;
  offer("Slow.Get", slow);
  const auto client = open(kSingle);
  client.send(request(1, "Slow.Get", "\xc0") + request(2, "Status.Ping") + request(3, "Slow.Get"));
  const auto first = slow.take();
  EXPECT_EQ(first.body, "\xc0");
  EXPECT_EQ(slow.waiting(), 0u) << "the third waits for the first";
  reply(first, "\xc3");
  reply(slow.take(), "\x90");
  const auto answers = response(1, "Slow.Get", "\xc3") + response(2, "Status.Ping") +
                       response(3, "Slow.Get", "\x90");
  EXPECT_EQ(client.receive(answers.size()), answers);
}

TEST_F(NetrpcSingle, TakesARequestInAnyPieces) {
  const auto client = open(kSingle);
  const auto wire = request(7, "Status.Ping", "\x81\xa3key\x93\x01\x02\x03");
  const auto answer = response(7, "Status.Ping");
  for (std::size_t cut = 1; cut < wire.size(); ++cut) {
    client.send(wire.substr(0, cut));
    settle();
    client.send(wire.substr(cut));
    ASSERT_EQ(client.receive(answer.size()), answer) << "cut at " << cut;
  }
}

TEST_F(NetrpcSingle, GoesOnAfterAMethodThatFailed) {
  Endpoint endpoint;
  offer("KVS.Apply", endpoint);
  const auto client = open(kSingle);
  client.send(request(1, "KVS.Apply") + request(2, "Status.Ping"));
  fail(endpoint.take(), "Permission denied");
  const auto answers = failure(1, "KVS.Apply", "Permission denied") + response(2, "Status.Ping");
  EXPECT_EQ(client.receive(answers.size()), answers);
}

TEST_F(NetrpcSingle, NeverCallsAFailureASuccess) {
  Endpoint endpoint;
  offer("KVS.Apply", endpoint);
  const auto client = open(kSingle);
  client.send(request(1, "KVS.Apply") + request(2, "KVS.Apply"));
  fail(endpoint.take(), "");
  reply(endpoint.take(), "");
  const auto answers = failure(1, "KVS.Apply", "unknown error") + response(2, "KVS.Apply", "\xc0");
  EXPECT_EQ(client.receive(answers.size()), answers);
}

TEST_F(NetrpcSingle, EndsAfterAnswersThatLeaveTheTwoSidesApart) {
  const struct {
    std::string_view name;
    std::string sent;
    std::string received;
  } cases[] = {
      {"unknown method",
       request(1, "Status.Nope"),
       failure(1, "Status.Nope", "rpc: can't find method Status.Nope")},
      {"unknown service",
       request(1, "Nope.Ping"),
       failure(1, "Nope.Ping", "rpc: can't find service Nope.Ping")},
      {"no dot",
       request(1, "StatusPing"),
       failure(1, "StatusPing", "rpc: service/method request ill-formed: StatusPing")},
      {"the body is no structure",
       request(1, "Status.Ping", "\x05"),
       failure(
           1,
           "Status.Ping",
           "codec.decoder: Only encoded map or array can be decoded into a struct. "
           "(valueType: 2)")},
      {"the body is no object",
       request(1, "Status.Ping", "\xc1"),
       failure(
           1,
           "Status.Ping",
           "codec.decoder: currentEncodedType: Undeciphered descriptor: Unrecognized descriptor "
           "byte: hex: c1, dec: 193")},
      {"the header is no structure", "\x05", ""},
      {"the header is no object", "\xc1", ""},
      {"the header is too long", std::string{"\x81\xda\x02\x01", 4} + std::string(600, 'x'), ""},
  };

  std::size_t count = 0;
  int answered = 0;
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    answered += c.received.empty() ? 0 : 1;
    auto client = open(kSingle);
    client.send(c.sent + request(2, "Status.Ping"));
    EXPECT_EQ(client.receive_all(), c.received) << "and nothing for what came behind";
    client.close();
    EXPECT_EQ(host.closed(++count).back(), SY_CLOSE_FINISHED);
  }
  settle();
  EXPECT_EQ(host.metric("requests_total"), answered);
  EXPECT_EQ(host.metric("errors_total"), answered);
}

TEST_F(NetrpcSingle, AnswersEofForABodyThatIsCut) {
  const auto whole = request(3, "Status.Ping", "\x81\xa3key\xc0");
  const auto header = request(3, "Status.Ping", "").size();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    SCOPED_TRACE(size);
    const auto client = open(kSingle);
    client.send(whole.substr(0, size));
    client.finish();
    EXPECT_EQ(client.receive_all(), size < header ? "" : failure(3, "Status.Ping", "EOF"));
  }
}

TEST_F(NetrpcSingle, AnswersAPeerThatHasFinished) {
  Endpoint slow;
  offer("Slow.Get", slow);
  const auto client = open(kSingle);
  client.send(request(1, "Slow.Get") + request(2, "Status.Ping"));
  client.finish();
  reply(slow.take(), "\xc3");
  EXPECT_EQ(client.receive_all(), response(1, "Slow.Get", "\xc3") + response(2, "Status.Ping"));
  EXPECT_THAT(host.closed(1), ElementsAre(SY_CLOSE_FINISHED));
}

TEST_F(NetrpcSingle, ClosesWithoutAnAnswerWhenAnEndpointDrops) {
  Endpoint endpoint;
  offer("KVS.Get", endpoint);
  const auto client = open(kSingle);
  client.send(request(1, "KVS.Get") + request(2, "Status.Ping"));
  auto* call = endpoint.take().call;
  call->api->drop(call);
  EXPECT_EQ(client.receive_all(), "");
}

TEST_F(NetrpcSingle, ClosesBehindARejection) {
  Endpoint endpoint;
  offer("KVS.Get", endpoint);
  const auto client = open(kSingle);
  client.send(request(1, "KVS.Get") + request(2, "Status.Ping"));
  auto* call = endpoint.take().call;
  call->api->reject(call, text("codec.decoder: no"));
  EXPECT_EQ(client.receive_all(), failure(1, "KVS.Get", "codec.decoder: no"));
}

TEST_F(NetrpcSingle, HasATableOfItsOwnForFirstContact) {
  Endpoint sign;
  offer("AutoEncrypt.Sign", sign, SY_NETRPC_INSECURE);
  const auto insecure = open(kInsecure);
  insecure.send(request(1, "AutoEncrypt.Sign") + request(2, "Status.Ping"));
  reply(sign.take(), "\xa2ok");
  EXPECT_EQ(
      insecure.receive_all(),
      response(1, "AutoEncrypt.Sign", "\xa2ok") +
          failure(2, "Status.Ping", "rpc: can't find service Status.Ping"));

  const auto normal = open(kSingle);
  normal.send(request(1, "AutoEncrypt.Sign"));
  EXPECT_EQ(
      normal.receive_all(),
      failure(1, "AutoEncrypt.Sign", "rpc: can't find service AutoEncrypt.Sign"));
}

TEST_F(NetrpcSingle, SendsAnAnswerOfAnySize) {
  Endpoint endpoint;
  offer("KVS.List", endpoint);
  const auto client = open(kSingle);
  client.send(request(1, "KVS.List") + request(2, "Status.Ping"));
  std::string body{"\xdb\x00\x40\x00\x00", 5};
  body.append(0x400000, 'x');
  reply(endpoint.take(), body);
  const auto answers = response(1, "KVS.List", body) + response(2, "Status.Ping");
  EXPECT_TRUE(client.receive(answers.size()) == answers);
}

TEST_F(NetrpcSingle, TakesABodyOfAnySizeBelowTheLimit) {
  Endpoint endpoint;
  offer("KVS.Apply", endpoint);
  const auto client = open(kSingle);
  std::string body{"\xdb\x00\x40\x00\x00", 5};
  body.append(0x400000, 'x');
  client.send(request(1, "KVS.Apply", body));
  const auto held = endpoint.take();
  EXPECT_TRUE(held.body == body);
  reply(held, "\xc3");
  const auto answer = response(1, "KVS.Apply", "\xc3");
  EXPECT_EQ(client.receive(answer.size()), answer);
}

} // namespace
} // namespace switchyard::netrpc::test

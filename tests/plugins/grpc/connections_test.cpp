// What becomes of a connection: the bytes of a client that is no gRPC library.
#include "client.hpp"
#include "grpc.hpp"
#include "http2_peer.hpp"

namespace switchyard::grpc::test {
namespace {

using http2::ErrorCode;
using http2::FrameType;
using testing::Each;
using testing::HasSubstr;

class GrpcConnections : public Grpc {
protected:
  /// The reason of the client's connection; that of the pair behind it is the same.
  sy_close_reason reason() {
    const auto closed = host.closed(2);
    EXPECT_EQ(closed[0], closed[1]);
    return closed[1];
  }
};

TEST_F(GrpcConnections, EndsWithItsClient) {
  Http2Peer client{open()};
  client.call(1, "/switchyard.status.v1.Status/Ping");
  while (true) {
    const auto frame = client.find(FrameType::Headers);
    ASSERT_TRUE(frame);
    if (frame->header.has(http2::Flag::EndStream)) break;
  }
  client.socket().finish();
  EXPECT_EQ(client.next(), std::nullopt);
  EXPECT_EQ(reason(), SY_CLOSE_FINISHED);
}

TEST_F(GrpcConnections, EndsAClientThatSaysNothing) {
  Http2Peer speaks{open()};
  speaks.call(1, "/switchyard.status.v1.Status/Ping");
  ASSERT_TRUE(speaks.find(FrameType::Headers));
  auto silent = open();
  advance(20 * kSecond);
  silent.close();
  EXPECT_EQ(reason(), SY_CLOSE_TIMED_OUT);
  speaks.call(3, "/switchyard.status.v1.Status/Ping");
  EXPECT_TRUE(speaks.find(FrameType::Headers));
}

TEST_F(GrpcConnections, SaysThatAClientWentWithCallsOpen) {
  Http2Peer client{open()};
  client.call(1, "/test.Service/Bidi", false);
  auto* const call = service.take().call;
  client.socket().close();
  EXPECT_EQ(reason(), SY_CLOSE_PEER_GONE);
  service.cancelled(1);
  finish(call, SY_GRPC_OK);
}

TEST_F(GrpcConnections, EndsAFlood) {
  Http2Peer client{open()};
  for (int i = 0; i < 300; ++i)
    client.send(FrameType::Settings, 0, 0);
  const auto frame = client.find(FrameType::GoAway);
  ASSERT_TRUE(frame);
  const auto goaway = decode_goaway(*frame);
  EXPECT_EQ(goaway.code, ErrorCode::EnhanceYourCalm);
  EXPECT_EQ(goaway.last_stream, 0u);
  EXPECT_NE(goaway.text, "");
  EXPECT_EQ(client.next(), std::nullopt);
  client.socket().close();
  settle();
  advance(2 * kSecond); // nothing more is read of it
  EXPECT_EQ(reason(), SY_CLOSE_LIMIT);
  EXPECT_EQ(host.metric("floods_total"), 1);
  EXPECT_THAT(host.lines(), testing::Contains(HasSubstr("connection cut conn=")));
}

TEST_F(GrpcConnections, EndsWhatIsNotHttp2) {
  auto socket = open();
  socket.send("GET / HTTP/1.1\r\nHost: peer\r\n\r\n");
  socket.finish();
  EXPECT_THAT(socket.receive_all(), testing::Not(HasSubstr("HTTP/1.1 200")));
  EXPECT_EQ(reason(), SY_CLOSE_PROTOCOL_ERROR);
  EXPECT_EQ(host.metric("violations_total"), 1);
}

TEST_F(GrpcConnections, EndsAFrameOutOfPlace) {
  Http2Peer client{open()};
  client.send(FrameType::Continuation, 0, 1, "x");
  const auto frame = client.find(FrameType::GoAway);
  ASSERT_TRUE(frame);
  EXPECT_EQ(decode_goaway(*frame).code, ErrorCode::ProtocolError);
  client.socket().finish();
  EXPECT_EQ(reason(), SY_CLOSE_PROTOCOL_ERROR);
}

TEST_F(GrpcConnections, HoldsBackWhatAnotherClientDoesNotTake) {
  Http2Peer slow{open()};
  // Windows as wide as they go: only the socket is in the way.
  const std::string widest{"\x7f\xff\0\0", 4};
  slow.send(FrameType::Settings, 0, 0, std::string{"\0\x04\x7f\xff\xff\xff", 6});
  slow.send(FrameType::WindowUpdate, 0, 0, widest);
  slow.call(1, "/test.Service/ServerStream");
  auto* const call = service.take().call;
  const std::string message(4U << 20, 'x');
  Operation sending;
  ASSERT_EQ(call->api->send(call, bytes(message), &Operation::sent, &sending), SY_OK);
  while (host.timers == 0)
    settle();

  // Others on the same loops do not notice.
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(Client{open()}.call("/switchyard.status.v1.Status/Ping", "").status.ok());
  }

  // It takes nothing for longer than it may.
  host.closed(4);
  advance(30 * kSecond);
  EXPECT_THAT(host.closed(6), testing::Contains(SY_CLOSE_TIMED_OUT).Times(2));
  service.cancelled(1);
  static_cast<void>(sending.wait());
  finish(call, SY_GRPC_OK);
}

TEST_F(GrpcConnections, PassesOnWhateverTheSplit) {
  auto socket = open();
  std::string bytes{http2::kPreface};
  for (const auto type : {FrameType::Settings, FrameType::Ping}) {
    const auto size = type == FrameType::Ping ? 8u : 0u;
    const auto header = http2::encode_header({size, type, 0, 0});
    bytes.append(reinterpret_cast<const char*>(header.data()), header.size()).append(size, 'p');
  }
  for (const char byte : bytes) {
    socket.send({&byte, 1});
    settle();
  }
  // SETTINGS, the acknowledgement of ours, perhaps windows; then of the ping.
  std::string answered;
  while (answered.find("pppppppp") == std::string::npos)
    answered += socket.receive(1);
  socket.finish();
  static_cast<void>(socket.receive_all());
  EXPECT_EQ(reason(), SY_CLOSE_FINISHED);
}

} // namespace
} // namespace switchyard::grpc::test

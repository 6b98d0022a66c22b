// What the host does with the plugin besides giving it connections.
#include "client.hpp"
#include "grpc.hpp"
#include "http2_peer.hpp"

namespace switchyard::grpc::test {
namespace {

using http2::ErrorCode;
using http2::FrameType;
using testing::Each;
using testing::HasSubstr;

const std::string kUnary = "/test.Service/Unary";

class GrpcLifecycle : public Grpc {};

TEST_F(GrpcLifecycle, SaysTheSameInDescriptorAndManifest) {
  EXPECT_EQ(plugin->magic, SY_PLUGIN_MAGIC);
  EXPECT_EQ(plugin->abi_major, SY_ABI_MAJOR);
  EXPECT_EQ(plugin->abi_minor, SY_ABI_MINOR);
  EXPECT_STREQ(plugin->id, "dev.switchyard.grpc");
  EXPECT_THAT(plugin->manifest, HasSubstr(R"("id":"dev.switchyard.grpc")"));
  EXPECT_EQ(plugin->health(instance, &error), SY_OK);
  EXPECT_EQ(plugin->query(instance, "switchyard.grpc.services/2"), nullptr);
}

TEST_F(GrpcLifecycle, JudgesItsConfiguration) {
  const struct {
    std::string_view config;
    std::string_view problem; ///< empty: none
  } cases[] = {
      {"{}", ""},
      {R"({"internal": {"max_receive_bytes": 8388608, "max_streams": 100},
           "external": {"max_receive_bytes": 1024}, "handshake_timeout": "5s",
           "keepalive_interval": "1m", "keepalive_timeout": "500ms", "min_ping_interval": "5s",
           "write_timeout": "10s", "direct_listeners": ["a", "b"], "max_connection_age": "1m"})",
       ""},
      {R"({"internal": 1})", "config.internal: must be a table"},
      {R"({"internal": {"max_streams": 0}})",
       "config.internal.max_streams: must be a number from 1 to 1048576"},
      {R"({"external": {"max_receive_bytes": 10}})",
       "config.external.max_receive_bytes: must be a number from 1024 to 1073741824"},
      {R"({"external": {"max_recv": 1}})",
       "config.external.max_recv: no such key; known are max_receive_bytes and max_streams"},
      {R"({"keepalive_interval": 30})", "config.keepalive_interval: must be a duration such as"},
      {R"({"keepalive_timeout": "0s"})", "config.keepalive_timeout: must be a duration"},
      {R"({"write_timeout": "25h"})", "config.write_timeout: must be a duration"},
      {R"({"direct_listeners": "a"})", "config.direct_listeners: must be a list of names"},
      {R"({"direct_listeners": [""]})", "config.direct_listeners: must be a list of names"},
      {R"({"direct": true})", "config.direct: no such key; known are internal, external"},
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

TEST_F(GrpcLifecycle, AsksForWhatItNeedsOfTheHost) {
  peer::FakeHost bare;
  sy_instance* made = nullptr;
  EXPECT_EQ(plugin->init(bare.get(), text("{}"), &made, &error), SY_UNSUPPORTED);
  EXPECT_THAT(error.text, HasSubstr(SY_JOURNAL));
}

TEST_F(GrpcLifecycle, JudgesRegistrations) {
  Service other;
  offer("test.Service", other.entry(), SY_EXISTS);
  EXPECT_THAT(offer("test.Nobody", other.entry(0), SY_INVALID), HasSubstr("SY_GRPC_ON_INTERNAL"));
  for (const auto* name : {"", ".", "a.", ".a", "a..b", "a/b", "a b", "1a", "a.2"}) {
    EXPECT_THAT(offer(name, other.entry(), SY_INVALID), HasSubstr("package.Service")) << name;
  }
  sy_grpc_method method{sizeof method, SY_GRPC_UNARY, text("Get"), nullptr, nullptr};
  const sy_grpc_method* methods[] = {&method, &method};
  auto entry = other.entry();
  entry.methods = methods;
  entry.method_count = 1;
  EXPECT_THAT(offer("test.Other", entry, SY_INVALID), HasSubstr("Get has no function"));
  method.call = [](void*, sy_grpc_call*, sy_bytes) {};
  method.kind = 4;
  EXPECT_THAT(offer("test.Other", entry, SY_INVALID), HasSubstr("no known kind"));
  method.kind = SY_GRPC_BIDIRECTIONAL;
  entry.method_count = 2;
  EXPECT_THAT(offer("test.Other", entry, SY_INVALID), HasSubstr("two methods are named Get"));
  method.name = text("G/et");
  EXPECT_THAT(offer("test.Other", entry, SY_INVALID), HasSubstr("G/et"));
  entry.struct_size = 8;
  EXPECT_THAT(offer("test.Other", entry, SY_INVALID), HasSubstr("of this ABI"));
  offer("Other", other.entry()); // which has a name without a package
}

TEST_F(GrpcLifecycle, ForgetsWhatIsRemoved) {
  Client client{open()};
  auto outcome = client.begin(kUnary, "");
  auto* const call = service.take().call;
  EXPECT_EQ(journal.held(), 1);
  journal.remove("test.Service");
  EXPECT_EQ(client.call(kUnary, "").status.error_message(), "unknown service test.Service");
  finish(call, SY_GRPC_OK, "late");
  EXPECT_EQ(outcome.get().message, "late");
  service.ended(1);
  Service next;
  offer("test.Service", next.entry());
  auto again = client.begin(kUnary, "");
  finish(next.take().call, SY_GRPC_OK, "next");
  EXPECT_EQ(again.get().message, "next");
  next.ended(1);
}

TEST_F(GrpcLifecycle, IsDrainedAtOnceWhenItHasNothing) {
  drain().wait();
}

TEST_F(GrpcLifecycle, AsksIdleClientsToLeave) {
  Http2Peer client{open()};
  auto drained = drain();
  const auto frame = client.find(FrameType::GoAway);
  ASSERT_TRUE(frame);
  EXPECT_EQ(decode_goaway(*frame).code, ErrorCode::NoError);
  EXPECT_EQ(decode_goaway(*frame).last_stream, http2::kLastStream);
  client.socket().close();
  drained.wait();
  EXPECT_THAT(host.closed(2), Each(SY_CLOSE_DRAINED));
}

TEST_F(GrpcLifecycle, EndsClientsThatDoNotLeave) {
  Http2Peer client{open()};
  auto drained = drain();
  ASSERT_TRUE(client.find(FrameType::GoAway));
  settle();
  advance(2 * kSecond);
  const auto last = client.find(FrameType::GoAway);
  ASSERT_TRUE(last);
  EXPECT_EQ(decode_goaway(*last).last_stream, 0u);
  EXPECT_EQ(client.next(), std::nullopt);
  client.socket().close();
  drained.wait();
}

TEST_F(GrpcLifecycle, AnswersWhatIsInProgressAndWhatWasOnItsWay) {
  Http2Peer client{open()};
  client.call(1, kUnary);
  auto* const first = service.take().call;
  auto drained = drain();
  ASSERT_TRUE(client.find(FrameType::GoAway));
  client.call(3, kUnary); // sent before the client had read that
  auto* const second = service.take().call;
  settle();
  advance(2 * kSecond);
  EXPECT_EQ(service.told(), 0u);
  finish(first, SY_GRPC_OK);
  finish(second, SY_GRPC_OK);
  for (int ends = 0; ends < 2;) {
    const auto frame = client.find(FrameType::Headers);
    ASSERT_TRUE(frame);
    if (frame->header.has(http2::Flag::EndStream)) ++ends;
  }
  client.socket().close();
  drained.wait();
}

TEST_F(GrpcLifecycle, AsksStreamsToEndAndUnaryCallsLater) {
  Client client{open()};
  Client::Context context;
  const auto stream = client.open(context, "/test.Service/Bidi");
  auto* const streaming = service.take().call;
  auto outcome = client.begin(kUnary, "");
  auto* const unary = service.take().call;
  auto drained = drain();
  EXPECT_THAT(service.cancelled(1), testing::ElementsAre(streaming));
  // It is a request: the call goes on until it is finished.
  Operation sending;
  EXPECT_EQ(streaming->api->send(streaming, bytes("last"), &Operation::sent, &sending), SY_OK);
  EXPECT_EQ(read(*stream), "last");
  finish(streaming, SY_GRPC_UNAVAILABLE, "moving");
  EXPECT_EQ(read(*stream), std::nullopt);
  EXPECT_EQ(stream->Finish().error_message(), "moving");
  settle();
  EXPECT_EQ(service.told(), 1u);
  advance(15 * kSecond);
  EXPECT_THAT(service.cancelled(2), testing::ElementsAre(streaming, unary));
  finish(unary, SY_GRPC_OK, "present");
  EXPECT_EQ(outcome.get().message, "present");
  settle();
  advance(2 * kSecond); // the library's channel over one descriptor stays
  drained.wait();
}

TEST_F(GrpcLifecycle, TakesNoConnectionWhileItDrains) {
  auto drained = drain();
  drained.wait();
  auto [ours, theirs] = peer::socket_pair();
  host.on_loop(0, [&, descriptor = theirs.release()] {
    auto* connection = host.connect(descriptor);
    EXPECT_EQ(plugin->serve(instance, kExternal, connection), SY_CANCELLED);
    connection->api->close(connection, SY_CLOSE_DRAINED);
  });
}

TEST_F(GrpcLifecycle, AbortsEverythingAtOnce) {
  Client client{open()};
  auto outcome = client.begin(kUnary, "");
  auto* const call = service.take().call;
  auto drained = drain();
  plugin->abort_all(instance);
  EXPECT_EQ(outcome.get().status.error_code(), ::grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(service.cancelled(1), testing::ElementsAre(call));
  finish(call, SY_GRPC_OK);
  drained.wait();
  EXPECT_THAT(host.closed(2), Each(SY_CLOSE_DRAINED));
}

TEST_F(GrpcLifecycle, StopsWithoutADrain) {
  Http2Peer client{open()};
  bring_down();
  EXPECT_EQ(client.find(FrameType::Headers), std::nullopt);
}

TEST_F(GrpcLifecycle, IsGoneWhenItIsStopped) {
  EXPECT_TRUE(Client{open()}.call("/switchyard.status.v1.Status/Ping", "").status.ok());
  host.closed(2);
  drain().wait();
  bring_down();
  EXPECT_TRUE(plugin.unload());
}

} // namespace
} // namespace switchyard::grpc::test

#include "grpc.hpp"

#include <switchyard/grpc/client.h>
#include <switchyard/grpc/status.hpp>

#include <plugins/grpc/backoff.hpp>

#include <tests/peer/fake_dial.hpp>

#include <list>

namespace switchyard::grpc::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Le;
using testing::Pair;

/// How a call ended, once it has.
struct Ended {
  GrpcStatus status;
  std::string message;
  GrpcMetadata metadata;
  GrpcMetadata trailers;
};

/// A unary call of a consumer.
struct Answer {
  std::promise<Ended> promise;
  std::future<Ended> future = promise.get_future();

  Ended wait() { return future.get(); }

  [[nodiscard]] bool there() const {
    return future.wait_for(std::chrono::seconds{0}) == std::future_status::ready;
  }

  static void answered(
      void* self,
      const sy_grpc_status* status,
      sy_bytes message,
      sy_grpc_metadata metadata,
      sy_grpc_metadata trailers) {
    static_cast<Answer*>(self)->promise.set_value(
        {detail::copy(*status),
         detail::copy(message),
         detail::copy(metadata),
         detail::copy(trailers)});
  }
};

/// A stream of a consumer.
struct Stream {
  sy_grpc_stream* stream = nullptr;
  GrpcMetadata metadata; ///< written before the first message
  std::promise<Ended> promise;
  Operation received;
  Operation sent;

  Ended wait() { return promise.get_future().get(); }

  static void told(void* self, sy_grpc_stream*, sy_grpc_metadata metadata) {
    static_cast<Stream*>(self)->metadata = detail::copy(metadata);
  }

  static void
  ended(void* self, sy_grpc_stream*, const sy_grpc_status* status, sy_grpc_metadata trailers) {
    auto& stream = *static_cast<Stream*>(self);
    stream.promise.set_value({detail::copy(*status), {}, stream.metadata, detail::copy(trailers)});
  }

  static constexpr sy_grpc_events kEvents{sizeof(sy_grpc_events), 0, &told, &ended};

  sy_status receive() { return stream->api->receive(stream, &Operation::received, &received); }

  sy_status send(std::string_view message) {
    return stream->api->send(stream, bytes(message), &Operation::sent, &sent);
  }
};

/// A consumer of the client, whose dials come to the plugin's own server when the test says so.
class Outgoing : public Grpc {
protected:
  void SetUp() override {
    Grpc::SetUp();
    table = static_cast<const sy_grpc_client*>(plugin->query(instance, SY_GRPC_CLIENT));
    ASSERT_NE(table, nullptr);
    channel = open_channel();
  }

  sy_grpc_channel* open_channel(std::uint64_t max_receive = 0, std::uint64_t max_send = 0) {
    sy_dial_options options{};
    options.struct_size = sizeof options;
    options.tag = 8;
    options.address = text("10.0.0.1:8300");
    sy_grpc_channel_options made{};
    made.struct_size = sizeof made;
    made.dial = &options;
    made.authority = text("leader.dc1");
    made.max_receive = max_receive;
    made.max_send = max_send;
    sy_grpc_channel* opened = nullptr;
    EXPECT_EQ(table->open(instance, &made, &opened, &error), SY_OK) << error.text;
    return opened;
  }

  static sy_grpc_request request(
      std::string_view method,
      std::string_view message = {},
      sy_grpc_kind kind = SY_GRPC_UNARY,
      std::uint64_t timeout = UINT64_MAX) {
    return {sizeof(sy_grpc_request), kind, text(method), {}, bytes(message), timeout};
  }

  sy_status ask(Answer& answer, std::string_view message = {}, std::uint64_t timeout = UINT64_MAX) {
    const auto asked = request("/test.Service/Unary", message, SY_GRPC_UNARY, timeout);
    return table->unary(instance, channel, &asked, &Answer::answered, &answer);
  }

  void start(Stream& stream, std::string_view method, sy_grpc_kind kind, std::string_view message) {
    const auto asked = request(method, message, kind);
    ASSERT_EQ(
        table->call(instance, channel, &asked, &Stream::kEvents, &stream, &stream.stream), SY_OK);
  }

  /// The next dial comes to the plugin's own server.
  void connect() {
    const auto dialled = dial.take();
    EXPECT_EQ(dialled.address, "10.0.0.1:8300");
    EXPECT_EQ(dialled.tag, 8);
    dial.connected(dialled, open(kInternal).release());
  }

  peer::FakeDial dial{host};
  const sy_grpc_client* table = nullptr;
  sy_grpc_channel* channel = nullptr;
};

TEST(Backoff, GrowsToTwoMinutes) {
  using std::chrono::milliseconds;
  Backoff backoff;
  EXPECT_EQ(backoff.next(0.5), milliseconds{1000});
  EXPECT_EQ(backoff.next(0.5), milliseconds{1600});
  EXPECT_EQ(backoff.next(0.0), milliseconds{2048});
  EXPECT_NEAR(static_cast<double>(backoff.next(1.0).count()), 4.9152e9, 1.0);
  for (int attempt = 0; attempt < 20; ++attempt)
    EXPECT_THAT(backoff.next(1.0), AllOf(Ge(milliseconds{1000}), Le(milliseconds{144'000})));
  EXPECT_EQ(backoff.next(0.5), milliseconds{120'000});
  backoff.reset();
  EXPECT_EQ(backoff.next(0.5), milliseconds{1000});
}

TEST_F(Outgoing, CallsAUnaryMethod) {
  EXPECT_EQ(dial.waiting(), 0u); // a channel alone dials nothing
  Answer answer;
  auto asked = request("/test.Service/Unary", "question");
  const sy_grpc_metadata_entry sent[] = {{text("who"), bytes("tester")}};
  asked.metadata = {sent, 1};
  ASSERT_EQ(table->unary(instance, channel, &asked, &Answer::answered, &answer), SY_OK);
  connect();
  const auto begun = service.take();
  EXPECT_EQ(begun.message, "question");
  const auto info = describe(begun.call);
  EXPECT_EQ(view(info.authority), "leader.dc1");
  EXPECT_EQ(info.deadline, UINT64_MAX);
  ASSERT_EQ(info.external, 0u);
  EXPECT_THAT(detail::copy(info.metadata), testing::Contains(Pair("who", "tester")));
  const sy_grpc_metadata_entry early[] = {{text("early"), bytes("1")}};
  EXPECT_EQ(begun.call->api->send_metadata(begun.call, {early, 1}), SY_OK);
  const sy_grpc_metadata_entry late[] = {{text("late-bin"), bytes("\x01")}};
  finish(begun.call, SY_GRPC_OK, "answer", {late, 1});
  const auto ended = answer.wait();
  EXPECT_TRUE(ended.status.ok()) << ended.status.message;
  EXPECT_EQ(ended.message, "answer");
  EXPECT_THAT(ended.metadata, testing::Contains(Pair("early", "1")));
  EXPECT_THAT(ended.trailers, ElementsAre(Pair("late-bin", "\x01")));

  Answer again; // over the same connection
  ASSERT_EQ(ask(again), SY_OK);
  finish(service.take().call, SY_GRPC_NOT_FOUND, "dropped");
  const auto failed = again.wait();
  EXPECT_EQ(failed.status.code, SY_GRPC_NOT_FOUND);
  EXPECT_EQ(failed.message, "");
}

TEST_F(Outgoing, HoldsAConversation) {
  Stream stream;
  start(stream, "/test.Service/Bidi", SY_GRPC_BIDIRECTIONAL, {});
  EXPECT_EQ(stream.send("before there is a connection"), SY_OK);
  EXPECT_EQ(stream.send("another"), SY_BUSY);
  EXPECT_EQ(stream.receive(), SY_OK);
  EXPECT_EQ(stream.receive(), SY_BUSY);
  connect();
  auto* const call = service.take().call;
  EXPECT_EQ(stream.sent.wait().status, SY_OK);
  Operation theirs;
  EXPECT_EQ(call->api->receive(call, &Operation::received, &theirs), SY_OK);
  EXPECT_EQ(theirs.wait().message, "before there is a connection");
  for (const auto* word : {"one", "two", "three"}) {
    EXPECT_EQ(call->api->send(call, bytes(word), &Operation::sent, &theirs), SY_OK);
    EXPECT_EQ(theirs.wait().status, SY_OK);
  }
  EXPECT_EQ(stream.received.wait().message, "one");
  EXPECT_EQ(stream.stream->api->finish_sending(stream.stream), SY_OK);
  EXPECT_EQ(stream.send("late"), SY_INVALID);
  EXPECT_EQ(call->api->receive(call, &Operation::received, &theirs), SY_OK);
  EXPECT_EQ(theirs.wait().status, SY_CLOSED);
  finish(call, SY_GRPC_ABORTED);
  for (const auto* word : {"two", "three"}) { // what nobody has asked for holds the end back
    EXPECT_EQ(stream.receive(), SY_OK);
    EXPECT_EQ(stream.received.wait().message, word);
  }
  EXPECT_EQ(stream.wait().status.code, SY_GRPC_ABORTED);
}

TEST_F(Outgoing, SpeaksInOneDirection) {
  Stream down;
  start(down, "/test.Service/ServerStream", SY_GRPC_SERVER_STREAMING, "all");
  connect();
  EXPECT_EQ(down.send("x"), SY_UNSUPPORTED);
  EXPECT_EQ(down.stream->api->finish_sending(down.stream), SY_UNSUPPORTED);
  auto begun = service.take();
  EXPECT_EQ(begun.message, "all");
  EXPECT_EQ(down.receive(), SY_OK);
  finish(begun.call, SY_GRPC_OK);
  EXPECT_EQ(down.received.wait().status, SY_CLOSED);
  EXPECT_TRUE(down.wait().status.ok());

  Stream up;
  start(up, "/test.Service/ClientStream", SY_GRPC_CLIENT_STREAMING, {});
  begun = service.take();
  EXPECT_EQ(up.send("part"), SY_OK);
  EXPECT_EQ(up.sent.wait().status, SY_OK);
  EXPECT_EQ(up.stream->api->finish_sending(up.stream), SY_OK);
  EXPECT_EQ(up.receive(), SY_OK);
  finish(begun.call, SY_GRPC_OK, "sum");
  EXPECT_EQ(up.received.wait().message, "sum");
  EXPECT_TRUE(up.wait().status.ok());
}

TEST_F(Outgoing, WaitsForAConnectionUntilItsTime) {
  Answer hasty;
  Answer patient;
  ASSERT_EQ(ask(hasty, {}, 2 * kSecond), SY_OK);
  ASSERT_EQ(ask(patient, {}, 10 * kSecond), SY_OK);
  const auto dialled = dial.take();
  EXPECT_FALSE(hasty.there());
  advance(2 * kSecond);
  const auto ended = hasty.wait();
  EXPECT_EQ(ended.status.code, SY_GRPC_DEADLINE_EXCEEDED);
  EXPECT_THAT(ended.status.message, HasSubstr("10.0.0.1:8300"));
  EXPECT_FALSE(patient.there());
  dial.connected(dialled, open(kInternal).release());
  const auto begun = service.take();
  const auto* loops = static_cast<const sy_loops*>(host.get()->service(host.get(), SY_LOOPS));
  const auto left = describe(begun.call).deadline - loops->now(host.get());
  EXPECT_THAT(left, AllOf(Ge(4 * kSecond), Le(9 * kSecond))); // of 10, 2 have passed
  finish(begun.call, SY_GRPC_OK);
  EXPECT_TRUE(patient.wait().status.ok());
}

TEST_F(Outgoing, FailsWithTheDialAndDialsAgainLater) {
  Answer first;
  ASSERT_EQ(ask(first), SY_OK);
  dial.failed(dial.take(), SY_REFUSED);
  const auto ended = first.wait();
  EXPECT_EQ(ended.status.code, SY_GRPC_UNAVAILABLE);
  EXPECT_THAT(ended.status.message, HasSubstr("10.0.0.1:8300: "));
  Answer second;
  ASSERT_EQ(ask(second), SY_OK);
  settle();
  EXPECT_EQ(dial.waiting(), 0u); // not for another second or so
  advance(kSecond * 3 / 4);
  EXPECT_EQ(dial.waiting(), 0u);
  advance(kSecond / 2);
  connect();
  finish(service.take().call, SY_GRPC_OK);
  EXPECT_TRUE(second.wait().status.ok());
}

TEST_F(Outgoing, DialsAgainWhenTheConnectionHasBroken) {
  Answer first;
  ASSERT_EQ(ask(first), SY_OK);
  auto [ours, theirs] = peer::socket_pair();
  dial.connected(dial.take(), ours.release());
  EXPECT_EQ(theirs.receive(24), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  theirs.close();
  EXPECT_EQ(first.wait().status.code, SY_GRPC_UNAVAILABLE);
  Answer second;
  ASSERT_EQ(ask(second), SY_OK);
  advance(2 * kSecond);
  connect();
  finish(service.take().call, SY_GRPC_OK, "there again");
  EXPECT_EQ(second.wait().message, "there again");
}

TEST_F(Outgoing, LeavesAServerThatGoesAway) {
  Answer first;
  ASSERT_EQ(ask(first), SY_OK);
  connect();
  finish(service.take().call, SY_GRPC_OK);
  EXPECT_TRUE(first.wait().status.ok());
  advance(11 * kSecond);
  Answer second;
  ASSERT_EQ(ask(second), SY_OK);
  finish(service.take().call, SY_GRPC_UNAVAILABLE);
  EXPECT_EQ(second.wait().status.code, SY_GRPC_UNAVAILABLE);
  Answer third;
  ASSERT_EQ(ask(third), SY_OK);
  connect(); // at once, as the last one has lasted
  finish(service.take().call, SY_GRPC_OK);
  EXPECT_TRUE(third.wait().status.ok());
}

TEST_F(Outgoing, CancelsAStreamWhereverItIs) {
  Stream waiting;
  start(waiting, "/test.Service/Bidi", SY_GRPC_BIDIRECTIONAL, {});
  EXPECT_EQ(waiting.receive(), SY_OK);
  waiting.stream->api->cancel(waiting.stream);
  EXPECT_EQ(waiting.received.wait().status, SY_CANCELLED);
  EXPECT_EQ(waiting.wait().status.code, SY_GRPC_CANCELLED);

  Stream running; // the dial for the first one serves it
  start(running, "/test.Service/Bidi", SY_GRPC_BIDIRECTIONAL, {});
  connect();
  auto* const call = service.take().call;
  Operation theirs;
  EXPECT_EQ(call->api->send(call, bytes("unread"), &Operation::sent, &theirs), SY_OK);
  EXPECT_EQ(theirs.wait().status, SY_OK);
  running.stream->api->cancel(running.stream);
  EXPECT_EQ(running.wait().status.code, SY_GRPC_CANCELLED);
  EXPECT_THAT(service.cancelled(1), ElementsAre(call));
  finish(call, SY_GRPC_OK);
}

TEST_F(Outgoing, ClosesAChannelWithItsCalls) {
  Answer waiting;
  ASSERT_EQ(ask(waiting), SY_OK);
  const auto dialled = dial.take();
  table->close(instance, channel);
  EXPECT_EQ(waiting.wait().status.code, SY_GRPC_CANCELLED);
  Answer late;
  EXPECT_EQ(ask(late), SY_REVOKED);
  table->close(instance, channel); // names nothing any more
  dial.failed(dialled, SY_CANCELLED);

  channel = open_channel();
  Stream running;
  start(running, "/test.Service/Bidi", SY_GRPC_BIDIRECTIONAL, {});
  connect();
  auto* const call = service.take().call;
  table->close(instance, channel);
  EXPECT_EQ(running.wait().status.code, SY_GRPC_CANCELLED);
  service.cancelled(1);
  finish(call, SY_GRPC_OK);
}

TEST_F(Outgoing, BoundsWhatWaitsAndWhatIsSent) {
  std::list<Answer> answers;
  for (int call = 0; call < 1000; ++call)
    ASSERT_EQ(ask(answers.emplace_back()), SY_OK);
  Answer beyond;
  EXPECT_EQ(ask(beyond), SY_LIMIT);
  dial.failed(dial.take(), SY_TIMED_OUT);
  for (auto& answer : answers)
    EXPECT_EQ(answer.wait().status.code, SY_GRPC_UNAVAILABLE);

  channel = open_channel(100, 100);
  EXPECT_EQ(ask(beyond, std::string(101, 'x')), SY_LIMIT);
  Answer large;
  ASSERT_EQ(ask(large, std::string(100, 'x')), SY_OK);
  connect();
  finish(service.take().call, SY_GRPC_OK, std::string(101, 'x'));
  EXPECT_EQ(large.wait().status.code, SY_GRPC_RESOURCE_EXHAUSTED);
}

TEST_F(Outgoing, RefusesWhatIsNoCall) {
  Answer answer;
  auto asked = request("test.Service/Unary");
  EXPECT_EQ(table->unary(instance, channel, &asked, &Answer::answered, &answer), SY_INVALID);
  asked = request("/test.Service/Bidi", {}, SY_GRPC_BIDIRECTIONAL);
  EXPECT_EQ(table->unary(instance, channel, &asked, &Answer::answered, &answer), SY_INVALID);
  asked = request("/test.Service/Unary");
  const sy_grpc_metadata_entry reserved[] = {{text("grpc-timeout"), bytes("1S")}};
  asked.metadata = {reserved, 1};
  EXPECT_EQ(table->unary(instance, channel, &asked, &Answer::answered, &answer), SY_INVALID);
  sy_grpc_channel_options none{};
  none.struct_size = sizeof none;
  sy_grpc_channel* opened = nullptr;
  EXPECT_EQ(table->open(instance, &none, &opened, &error), SY_INVALID);
}

TEST_F(Outgoing, DrainsWhenTheLastCallHasEnded) {
  Answer answer;
  ASSERT_EQ(ask(answer), SY_OK);
  auto [ours, theirs] = peer::socket_pair();
  dial.connected(dial.take(), ours.release());
  EXPECT_EQ(theirs.receive(24).size(), 24u);
  const auto drained = drain();
  settle();
  EXPECT_EQ(drained.wait_for(std::chrono::seconds{0}), std::future_status::timeout);
  Answer late;
  EXPECT_EQ(ask(late), SY_REVOKED);
  theirs.close();
  EXPECT_EQ(answer.wait().status.code, SY_GRPC_UNAVAILABLE);
  drained.wait();
}

TEST_F(Outgoing, LeavesNothingWhenItStops) {
  Answer waiting;
  Stream running;
  start(running, "/test.Service/Bidi", SY_GRPC_BIDIRECTIONAL, {});
  connect();
  auto* const call = service.take().call;
  channel = open_channel();
  ASSERT_EQ(ask(waiting), SY_OK);
  const auto dialled = dial.take();
  plugin->abort_all(instance);
  EXPECT_EQ(waiting.wait().status.code, SY_GRPC_CANCELLED);
  EXPECT_EQ(running.wait().status.code, SY_GRPC_CANCELLED);
  dial.failed(dialled, SY_CANCELLED);
  service.cancelled(1);
  finish(call, SY_GRPC_OK);
}

} // namespace
} // namespace switchyard::grpc::test

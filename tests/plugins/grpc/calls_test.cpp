// Calls between gRPC's own client and a service of another plugin.
#include "client.hpp"
#include "grpc.hpp"
#include "http2_peer.hpp"

#include <thread>

namespace switchyard::grpc::test {
namespace {

using ::grpc::StatusCode;
using testing::Contains;
using testing::Pair;

const std::string kUnary = "/test.Service/Unary";
const std::string kClientStream = "/test.Service/ClientStream";
const std::string kServerStream = "/test.Service/ServerStream";
const std::string kBidi = "/test.Service/Bidi";

class GrpcCalls : public Grpc {
protected:
  std::optional<Client> client;

  void SetUp() override {
    Grpc::SetUp();
    client.emplace(open());
  }

  void TearDown() override {
    client.reset();
    Grpc::TearDown();
  }
};

TEST_F(GrpcCalls, AnswersAUnaryCall) {
  auto outcome = client->begin(kUnary, "hello");
  const auto begun = service.take();
  EXPECT_EQ(begun.message, "hello");
  EXPECT_EQ(begun.call->user, nullptr);
  finish(begun.call, SY_GRPC_OK, "world");
  const auto got = outcome.get();
  EXPECT_TRUE(got.status.ok()) << got.status.error_message();
  EXPECT_EQ(got.message, "world");
  EXPECT_THAT(service.ended(1), testing::ElementsAre(begun.call));
  EXPECT_EQ(service.told(), 0u);
}

TEST_F(GrpcCalls, CarriesEmptyAndLargeMessages) {
  for (const std::size_t size : {0u, 1u, 8u << 20, 40u << 20}) {
    const std::string message(size, 'm');
    auto outcome = client->begin(kUnary, message);
    const auto begun = service.take();
    EXPECT_EQ(begun.message, message);
    finish(begun.call, SY_GRPC_OK, begun.message);
    const auto got = outcome.get();
    EXPECT_TRUE(got.status.ok()) << size << ' ' << got.status.error_message();
    EXPECT_EQ(got.message, message);
  }
}

TEST_F(GrpcCalls, RefusesAMessageOverTheLimit) {
  Client inside{open(kInternal)};
  const auto got = inside.call(kUnary, std::string(5U << 20, 'm'));
  EXPECT_EQ(got.status.error_code(), StatusCode::RESOURCE_EXHAUSTED) << got.status.error_message();
}

TEST_F(GrpcCalls, TakesACompressedMessage) {
  Client::Context context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  const std::string message(100'000, 'c');
  auto outcome =
      std::async(std::launch::async, [&] { return client->call(context, kUnary, message); });
  const auto begun = service.take();
  EXPECT_EQ(begun.message, message);
  finish(begun.call, SY_GRPC_OK);
  EXPECT_TRUE(outcome.get().status.ok());
}

TEST_F(GrpcCalls, CarriesMetadataBothWays) {
  const std::string binary{"\0\xff\n", 3};
  Client::Context context;
  context.AddMetadata("x-consul-token", "secret");
  context.AddMetadata("x-many", "1");
  context.AddMetadata("x-many", "2");
  context.AddMetadata("x-raw-bin", binary);
  auto outcome = std::async(std::launch::async, [&] { return client->call(context, kUnary, ""); });
  auto* const call = service.take().call;

  const auto info = describe(call);
  std::multimap<std::string, std::string> seen;
  for (std::size_t at = 0; at < info.metadata.count; ++at) {
    const auto& entry = info.metadata.entries[at];
    const auto value = view(entry.value);
    seen.emplace(
        view(entry.key), std::string{reinterpret_cast<const char*>(value.data()), value.size()});
  }
  EXPECT_THAT(seen, Contains(Pair("x-consul-token", "secret")));
  EXPECT_THAT(seen, Contains(Pair("x-many", "1")));
  EXPECT_THAT(seen, Contains(Pair("x-many", "2")));
  EXPECT_THAT(seen, Contains(Pair("x-raw-bin", binary)));
  for (const auto& [key, value] : seen)
    EXPECT_FALSE(key.starts_with("grpc-") || key.starts_with(':')) << key;

  const sy_grpc_metadata_entry first[] = {
      {text("index"), bytes("7")}, {text("x-raw-bin"), bytes(binary)}};
  EXPECT_EQ(call->api->send_metadata(call, {first, 2}), SY_OK);
  EXPECT_EQ(call->api->send_metadata(call, {first, 2}), SY_INVALID);
  // What gRPC could not send is left out, and does not end the process.
  const sy_grpc_metadata_entry last[] = {
      {text("x-trailer"), bytes("end")},
      {text("X-Upper"), bytes("1")},
      {text("grpc-status"), bytes("1")},
      {text("x-line"), bytes("a\nb")}};
  finish(call, SY_GRPC_OK, "", {last, 4});
  const auto got = outcome.get();
  EXPECT_TRUE(got.status.ok()) << got.status.error_message();
  EXPECT_THAT(got.metadata, Contains(Pair("index", "7")));
  EXPECT_THAT(got.metadata, Contains(Pair("x-raw-bin", binary)));
  EXPECT_THAT(got.trailers, testing::ElementsAre(Pair("x-trailer", "end")));
}

TEST_F(GrpcCalls, CarriesAStatusWithDetails) {
  auto outcome = client->begin(kUnary, "");
  auto* const call = service.take().call;
  const std::string details{"\x08\x05\0\xff", 4};
  sy_grpc_status status{};
  status.struct_size = sizeof status;
  status.code = SY_GRPC_NOT_FOUND;
  status.message = text("no such \"thing\" \xc3\xa4");
  status.details = bytes(details);
  call->api->finish(call, &status, bytes("ignored"), {});
  const auto got = outcome.get();
  EXPECT_EQ(got.status.error_code(), StatusCode::NOT_FOUND);
  EXPECT_EQ(got.status.error_message(), "no such \"thing\" \xc3\xa4");
  EXPECT_EQ(got.status.error_details(), details);
  EXPECT_EQ(got.message, "");
}

TEST_F(GrpcCalls, CountsAnUnknownCodeAsUnknown) {
  auto outcome = client->begin(kUnary, "");
  finish(service.take().call, 77, "what");
  EXPECT_EQ(outcome.get().status.error_code(), StatusCode::UNKNOWN);
}

TEST_F(GrpcCalls, DescribesTheCall) {
  Client secure{open(kInternal, true)};
  Client::Context context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::hours{1});
  auto outcome = std::async(std::launch::async, [&] { return secure.call(context, kUnary, ""); });
  auto* const call = service.take().call;
  const auto info = describe(call);
  EXPECT_EQ(view(info.method), kUnary);
  EXPECT_EQ(view(info.authority), "test.authority"); // what gRPC calls a connection without a name
  EXPECT_EQ(info.external, 0u);
  EXPECT_EQ(info.tls, 1u);
  EXPECT_EQ(view(info.remote), "192.0.2.1:4711");
  EXPECT_EQ(view(info.peer_names), "client.example");
  const auto* loops = static_cast<const sy_loops*>(host.get()->service(host.get(), SY_LOOPS));
  const auto now = loops->now(host.get()); // which stands still
  EXPECT_GT(info.deadline, now + 3500 * kSecond);
  EXPECT_LE(info.deadline, now + 3700 * kSecond); // the wire rounds up
  EXPECT_EQ(describe(call).deadline, info.deadline);
  finish(call, SY_GRPC_OK);
  EXPECT_TRUE(outcome.get().status.ok());

  auto other = client->begin(kUnary, "");
  auto* const clear = service.take().call;
  EXPECT_EQ(describe(clear).external, 1u);
  EXPECT_EQ(describe(clear).tls, 0u);
  EXPECT_EQ(describe(clear).deadline, UINT64_MAX);
  EXPECT_EQ(view(describe(clear).peer_names), "");
  finish(clear, SY_GRPC_OK);
  EXPECT_TRUE(other.get().status.ok());
}

TEST_F(GrpcCalls, SaysWhatDoesNotExist) {
  Service elsewhere;
  offer("test.Inside", elsewhere.entry(SY_GRPC_ON_INTERNAL));

  const struct {
    std::string method;
    std::string_view text;
  } cases[] = {
      {"/test.Service/Missing", "unknown method Missing for service test.Service"},
      {"/test.Missing/Unary", "unknown service test.Missing"},
      {"/test.Inside/Unary", "unknown service test.Inside"},
      {"/nothing", "malformed method name: \"/nothing\""},
  };

  for (const auto& c : cases) {
    const auto got = client->call(c.method, "x");
    EXPECT_EQ(got.status.error_code(), StatusCode::UNIMPLEMENTED) << c.method;
    EXPECT_EQ(got.status.error_message(), c.text);
  }
}

TEST_F(GrpcCalls, AnswersByItself) {
  for (const auto side : {kInternal, kExternal}) {
    const auto got = Client{open(side)}.call("/switchyard.status.v1.Status/Ping", "");
    EXPECT_TRUE(got.status.ok()) << got.status.error_message();
    EXPECT_EQ(
        got.message,
        "\n\x05"
        "0.1.0");
  }
  const auto got = client->call("/switchyard.status.v1.Status/Ping", "\xff");
  EXPECT_EQ(got.status.error_code(), StatusCode::INTERNAL);
}

TEST_F(GrpcCalls, StreamsToTheClient) {
  Client::Context context;
  const auto stream = client->open(context, kServerStream);
  ASSERT_TRUE(write(*stream, "go"));
  const auto begun = service.take();
  EXPECT_EQ(begun.message, "go");
  Operation sending;
  for (const auto* message : {"one", "two", "three"}) {
    ASSERT_EQ(begun.call->api->send(begun.call, bytes(message), &Operation::sent, &sending), SY_OK);
    EXPECT_EQ(read(*stream), message);
    EXPECT_EQ(sending.wait().status, SY_OK);
  }
  EXPECT_EQ(begun.call->api->receive(begun.call, &Operation::received, &sending), SY_UNSUPPORTED);
  // The message in flight goes out before the end, which nobody asks to be told of.
  EXPECT_EQ(begun.call->api->send(begun.call, bytes("last"), nullptr, nullptr), SY_OK);
  finish(begun.call, SY_GRPC_OK, "ignored");
  EXPECT_EQ(read(*stream), "last");
  EXPECT_EQ(read(*stream), std::nullopt);
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(GrpcCalls, StreamsFromTheClient) {
  Client::Context context;
  const auto stream = client->open(context, kClientStream);
  ASSERT_TRUE(write(*stream, "one"));
  const auto begun = service.take();
  EXPECT_EQ(begun.message, "");
  auto* const call = begun.call;
  Operation receiving;
  ASSERT_EQ(call->api->receive(call, &Operation::received, &receiving), SY_OK);
  EXPECT_EQ(receiving.wait().message, "one");
  EXPECT_EQ(call->api->send(call, {}, nullptr, nullptr), SY_UNSUPPORTED);
  ASSERT_TRUE(write(*stream, "two"));
  ASSERT_EQ(call->api->receive(call, &Operation::received, &receiving), SY_OK);
  EXPECT_EQ(receiving.wait().message, "two");
  stream->WritesDone();
  for (int times = 0; times < 2; ++times) {
    ASSERT_EQ(call->api->receive(call, &Operation::received, &receiving), SY_OK);
    EXPECT_EQ(receiving.wait().status, SY_CLOSED);
  }
  finish(call, SY_GRPC_OK, "sum");
  EXPECT_EQ(read(*stream), "sum");
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(GrpcCalls, TalksBothWays) {
  Client::Context context;
  const auto stream = client->open(context, kBidi);
  auto* call = service.take().call; // before the first message
  Operation receiving;
  Operation sending;
  for (int round = 0; round < 100; ++round) {
    const auto message = std::to_string(round);
    ASSERT_TRUE(write(*stream, message));
    ASSERT_EQ(call->api->receive(call, &Operation::received, &receiving), SY_OK);
    ASSERT_EQ(receiving.wait().message, message);
    ASSERT_EQ(call->api->send(call, bytes(message), &Operation::sent, &sending), SY_OK);
    ASSERT_EQ(read(*stream), message);
    ASSERT_EQ(sending.wait().status, SY_OK);
  }
  ASSERT_EQ(call->api->receive(call, &Operation::received, &receiving), SY_OK);
  EXPECT_EQ(call->api->receive(call, &Operation::received, &receiving), SY_BUSY);
  finish(call, SY_GRPC_ABORTED, "enough");
  EXPECT_EQ(receiving.wait().status, SY_CANCELLED);
  EXPECT_EQ(read(*stream), std::nullopt);
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::ABORTED);
  service.ended(1);
}

TEST_F(GrpcCalls, WaitsForAClientThatDoesNotRead) {
  using http2::FrameType;
  constexpr std::size_t kWindow = 65535; // of a stream and of a connection. Source: RFC 9113 §6.9.2
  Http2Peer peer{open()};
  peer.call(1, kBidi);
  auto* const call = service.take().call;
  const std::string message(1U << 20, 'x');
  Operation sending;
  ASSERT_EQ(call->api->send(call, bytes(message), &Operation::sent, &sending), SY_OK);

  std::string got;
  const auto read_until = [&](std::size_t size) {
    while (got.size() < size) {
      const auto frame = peer.find(FrameType::Data);
      ASSERT_TRUE(frame) << "after " << got.size() << " bytes";
      got += frame->payload;
    }
  };
  read_until(kWindow);
  EXPECT_EQ(got.size(), kWindow);
  EXPECT_FALSE(sending.ended());
  EXPECT_EQ(call->api->send(call, bytes("more"), nullptr, nullptr), SY_BUSY);

  const std::string more{"\0\x20\0\0", 4}; // 2 MiB
  peer.send(FrameType::WindowUpdate, 0, 0, more);
  peer.send(FrameType::WindowUpdate, 0, 1, more);
  constexpr std::size_t kPrefix = 5; // Source: gRPC's PROTOCOL-HTTP2.md, "Length-Prefixed-Message"
  read_until(kPrefix + message.size());
  EXPECT_EQ(got.substr(kPrefix), message);
  EXPECT_EQ(sending.wait().status, SY_OK);
  finish(call, SY_GRPC_OK);
  const auto trailers = peer.find(FrameType::Headers);
  ASSERT_TRUE(trailers);
  EXPECT_TRUE(trailers->header.has(http2::Flag::EndStream));
}

TEST_F(GrpcCalls, TellsOfACancelledCall) {
  Client::Context context;
  const auto stream = client->open(context, kBidi);
  auto* const call = service.take().call;
  Operation receiving;
  ASSERT_EQ(call->api->receive(call, &Operation::received, &receiving), SY_OK);
  context.TryCancel();
  EXPECT_THAT(service.cancelled(1), testing::ElementsAre(call));
  EXPECT_EQ(receiving.wait().status, SY_CANCELLED);
  EXPECT_EQ(call->api->send(call, bytes("x"), nullptr, nullptr), SY_CANCELLED);
  EXPECT_EQ(call->api->receive(call, &Operation::received, &receiving), SY_CANCELLED);
  EXPECT_EQ(call->api->send_metadata(call, {}), SY_CANCELLED);
  EXPECT_EQ(view(describe(call).method), kBidi);
  finish(call, SY_GRPC_CANCELLED);
  service.ended(1);
  EXPECT_EQ(service.told(), 1u);
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::CANCELLED);
}

TEST_F(GrpcCalls, TellsOfADeadline) {
  Client::Context context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds{200});
  const auto got = client->call(context, kUnary, "");
  EXPECT_EQ(got.status.error_code(), StatusCode::DEADLINE_EXCEEDED);
  auto* const call = service.take().call;
  EXPECT_THAT(service.cancelled(1), testing::ElementsAre(call));
  finish(call, SY_GRPC_OK, "late");
  service.ended(1);
}

TEST_F(GrpcCalls, TellsOfAClientThatHasGone) {
  auto socket = open();
  const int descriptor = ::dup(socket.get());
  Client doomed{std::move(socket)};
  Client::Context context;
  const auto stream = doomed.open(context, kBidi);
  auto* const call = service.take().call;
  ::shutdown(descriptor, SHUT_RDWR);
  ::close(descriptor);
  service.cancelled(1);
  finish(call, SY_GRPC_OK);
  service.ended(1);
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::UNAVAILABLE);
}

TEST_F(GrpcCalls, NeedsARequestForAUnaryCall) {
  Client::Context context;
  const auto stream = client->open(context, kUnary);
  stream->WritesDone();
  const auto status = stream->Finish();
  EXPECT_EQ(status.error_code(), StatusCode::UNIMPLEMENTED) << status.error_message();
  EXPECT_EQ(service.told(), 0u);
}

TEST_F(GrpcCalls, TakesAnswersFromManyThreads) {
  constexpr int kClients = 8;
  constexpr int kCalls = 200;
  std::vector<std::thread> answering;
  for (int at = 0; at < 4; ++at) {
    answering.emplace_back([&] {
      for (int i = 0; i < kClients * kCalls / 4; ++i) {
        const auto begun = service.take();
        EXPECT_EQ(view(describe(begun.call).remote), "192.0.2.1:4711");
        finish(begun.call, SY_GRPC_OK, begun.message);
      }
    });
  }
  std::vector<std::thread> calling;
  for (int at = 0; at < kClients; ++at) {
    calling.emplace_back([&, at] {
      for (int i = 0; i < kCalls; ++i) {
        const auto message = std::to_string(at * kCalls + i);
        const auto got = client->call(kUnary, message);
        EXPECT_TRUE(got.status.ok()) << got.status.error_message();
        EXPECT_EQ(got.message, message);
      }
    });
  }
  for (auto& thread : calling)
    thread.join();
  for (auto& thread : answering)
    thread.join();
  service.ended(kClients * kCalls);
  EXPECT_EQ(host.metric("calls_total"), kClients * kCalls);
}

} // namespace
} // namespace switchyard::grpc::test

#include <switchyard/grpc/client.hpp>
#include <switchyard/task.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tests/peer/fake_host.hpp>

#include <deque>
#include <future>
#include <string>
#include <thread>
#include <vector>

namespace switchyard {
namespace {

using namespace std::chrono_literals;
using peer::FakeHost;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

/// A provider of switchyard.grpc.client/1 whose calls the test answers. Channels are numbers that
/// no other provider has given.
class Provider {
public:
  struct Stream;

  struct Unary {
    std::string method;
    std::string message;
    GrpcMetadata metadata;
    std::uint64_t timeout;
    sy_grpc_answered answered;
    void* context;

    void answer(sy_grpc_code code, std::string_view text, std::string_view message_) const {
      const sy_grpc_status status{sizeof status, code, to_c(text), {}};
      answered(context, &status, detail::bytes_of(message_), {}, {});
    }
  };

  static Provider& of(void* provider) { return *static_cast<Provider*>(provider); }

  std::deque<Unary> unary;
  std::deque<Stream*> streams;
  std::uintptr_t channel = 0;
  int opened = 0;
  sy_status refuses = SY_OK;
  std::string address;
  std::promise<void> closed;

  static const sy_grpc_client kTable;

private:
  static inline std::uintptr_t channels = 0;
};

/// One call of a stream, played by the test.
struct Provider::Stream : sy_grpc_stream {
  Stream() : sy_grpc_stream{&kApi} {}

  static Stream& of(sy_grpc_stream* stream) { return *static_cast<Stream*>(stream); }

  void deliver(sy_status status, std::string_view message = {}) {
    const auto [done, with] = std::exchange(receiving, {});
    done(with, status, detail::bytes_of(message));
  }

  void sent(sy_status status = SY_OK) {
    const auto [done, with] = std::exchange(sending, {});
    done(with, status);
  }

  void tell(const GrpcMetadata& metadata) {
    events->metadata(context, this, detail::BorrowedMetadata{metadata}.get());
  }

  void end(sy_grpc_code code, std::string_view text, const GrpcMetadata& trailers = {}) {
    const sy_grpc_status status{sizeof status, code, to_c(text), {}};
    events->ended(context, this, &status, detail::BorrowedMetadata{trailers}.get());
    delete this;
  }

  sy_grpc_kind kind = 0;
  std::string request;
  const sy_grpc_events* events = nullptr;
  void* context = nullptr;
  std::pair<sy_grpc_received, void*> receiving{};
  std::pair<sy_grpc_sent, void*> sending{};
  std::vector<std::string> messages;
  int finished = 0;
  int cancelled = 0;

  static const sy_grpc_stream_api kApi;
};

constexpr sy_grpc_stream_api Provider::Stream::kApi{
    sizeof(sy_grpc_stream_api),
    0,
    [](sy_grpc_stream* stream, sy_bytes message, sy_grpc_sent sent, void* with) -> sy_status {
      of(stream).messages.push_back(detail::copy(message));
      of(stream).sending = {sent, with};
      return SY_OK;
    },
    [](sy_grpc_stream* stream) -> sy_status {
      ++of(stream).finished;
      return SY_OK;
    },
    [](sy_grpc_stream* stream, sy_grpc_received received, void* with) -> sy_status {
      of(stream).receiving = {received, with};
      return SY_OK;
    },
    [](sy_grpc_stream* stream) { ++of(stream).cancelled; }};

constexpr sy_grpc_client Provider::kTable{
    sizeof(sy_grpc_client),
    0,
    [](void* provider,
       const sy_grpc_channel_options* options,
       sy_grpc_channel** made,
       sy_error* error) -> sy_status {
      auto& self = of(provider);
      if (self.refuses != SY_OK) return fill(error, self.refuses, "no");
      EXPECT_EQ(options->struct_size, sizeof *options);
      EXPECT_EQ(options->dial->struct_size, sizeof *options->dial);
      self.address = view(options->dial->address);
      self.channel = ++channels;
      ++self.opened;
      *made = reinterpret_cast<sy_grpc_channel*>(self.channel);
      return SY_OK;
    },
    [](void* provider, sy_grpc_channel* asked) {
      auto& self = of(provider);
      if (self.channel != reinterpret_cast<std::uintptr_t>(asked)) return;
      self.channel = 0;
      for (const auto& call : std::exchange(self.unary, {}))
        call.answer(SY_GRPC_CANCELLED, "closed", "");
      self.closed.set_value();
    },
    [](void* provider,
       sy_grpc_channel* asked,
       const sy_grpc_request* request,
       const sy_grpc_events* events,
       void* context,
       sy_grpc_stream** stream) -> sy_status {
      auto& self = of(provider);
      if (self.channel != reinterpret_cast<std::uintptr_t>(asked)) return SY_REVOKED;
      auto& begun = *self.streams.emplace_back(new Stream);
      begun.kind = request->kind;
      begun.request = detail::copy(request->message);
      begun.events = events;
      begun.context = context;
      *stream = &begun;
      return SY_OK;
    },
    [](void* provider,
       sy_grpc_channel* asked,
       const sy_grpc_request* request,
       sy_grpc_answered answered,
       void* context) -> sy_status {
      auto& self = of(provider);
      if (self.channel != reinterpret_cast<std::uintptr_t>(asked)) return SY_REVOKED;
      self.unary.push_back(
          {detail::copy(request->method),
           detail::copy(request->message),
           detail::copy(request->metadata),
           request->timeout,
           answered,
           context});
      return SY_OK;
    }};

/// The host's interface service; the test says who the provider is.
struct Interfaces {
  static inline Provider* provider = nullptr;

  static constexpr sy_interfaces kTable{
      sizeof(sy_interfaces),
      0,
      [](const sy_host*, const char* id, sy_interface** handle, sy_error*) -> sy_status {
        EXPECT_STREQ(id, SY_GRPC_CLIENT);
        *handle = reinterpret_cast<sy_interface*>(&provider);
        return SY_OK;
      },
      [](sy_interface*) {},
      [](sy_interface*, sy_lease* lease) -> sy_status {
        if (provider == nullptr) return SY_REVOKED;
        *lease = {&Provider::kTable, provider, nullptr};
        return SY_OK;
      },
      [](sy_lease*) {}};
};

class GrpcClientTest : public testing::Test {
protected:
  void SetUp() override {
    fake.offer(SY_INTERFACES, &Interfaces::kTable);
    Interfaces::provider = &provider;
    channel =
        std::make_unique<GrpcChannel>(Host{fake.get()}, GrpcTarget{.address = "10.0.0.1:8300"});
  }

  void start(Task<>& task) {
    task.start([](void*, std::exception_ptr thrown) { EXPECT_FALSE(thrown); }, nullptr);
  }

  FakeHost fake;
  Provider provider;
  std::unique_ptr<GrpcChannel> channel;
};

Task<> ask(GrpcChannel& channel, std::string request, std::string& said) {
  GrpcCallOptions options{.timeout = 2s};
  options.metadata.emplace_back("who", "tester");
  auto answer = co_await GrpcUnary<std::string>{channel, "/test.Words/Ask", request, options};
  said = answer ? *answer : std::to_string(answer.status().code) + " " + answer.status().message;
}

TEST_F(GrpcClientTest, CallsAUnaryMethod) {
  std::string said;
  auto task = ask(*channel, "question", said);
  start(task);
  ASSERT_EQ(provider.unary.size(), 1u);
  EXPECT_EQ(provider.address, "10.0.0.1:8300");
  const auto call = provider.unary.front();
  EXPECT_EQ(call.method, "/test.Words/Ask");
  EXPECT_EQ(call.message, "question");
  EXPECT_EQ(call.timeout, 2'000'000'000u);
  EXPECT_THAT(call.metadata, ElementsAre(Pair("who", "tester")));
  EXPECT_EQ(said, "");
  call.answer(SY_GRPC_OK, "", "answer");
  EXPECT_EQ(said, "answer");

  auto again = ask(*channel, "question", said);
  start(again);
  provider.unary.back().answer(SY_GRPC_NOT_FOUND, "nobody knows", "");
  EXPECT_EQ(said, "5 nobody knows");
  EXPECT_EQ(provider.opened, 1);
  provider.unary.clear();
}

TEST_F(GrpcClientTest, FailsWithoutAProvider) {
  Interfaces::provider = nullptr;
  std::string said;
  auto first = ask(*channel, "question", said);
  start(first);
  EXPECT_EQ(said, "14 provider has gone");
  Interfaces::provider = &provider;
  provider.refuses = SY_LIMIT;
  auto second = ask(*channel, "question", said);
  start(second);
  EXPECT_EQ(said, "14 limit reached");
}

TEST_F(GrpcClientTest, OpensAnewWithTheNextProvider) {
  std::string said;
  auto first = ask(*channel, "one", said);
  start(first);
  provider.unary.front().answer(SY_GRPC_OK, "", "");
  Provider next;
  next.channel = 1'000'000; // somebody else's
  Interfaces::provider = &next;
  auto second = ask(*channel, "two", said);
  start(second);
  ASSERT_EQ(next.unary.size(), 1u);
  EXPECT_EQ(next.opened, 1);
  next.unary.front().answer(SY_GRPC_OK, "", "from the next");
  EXPECT_EQ(said, "from the next");
  next.unary.clear();
  channel.reset();
  EXPECT_EQ(next.channel, 0u);
}

TEST_F(GrpcClientTest, EndsItsCallsWhenItCloses) {
  std::string said;
  auto task = ask(*channel, "question", said);
  start(task);
  channel.reset();
  EXPECT_EQ(said, "1 closed");
}

Task<> converse(GrpcChannel& channel, std::vector<std::string>& said) {
  GrpcStream stream{channel, SY_GRPC_BIDIRECTIONAL, "/test.Words/Talk", {.timeout = 1s}};
  if (co_await stream.send(std::string{"hello"})) co_return;
  for (;;) {
    auto received = co_await stream.receive<std::string>();
    if (!received) break;
    said.push_back(*received);
  }
  EXPECT_FALSE(stream.finish_sending());
  const auto end = co_await stream.ended();
  said.push_back(std::to_string(end.status.code) + " " + end.status.message);
  for (const auto& [key, value] : stream.metadata())
    said.push_back(key + "=" + value);
  for (const auto& [key, value] : end.trailers)
    said.push_back(key + "=" + value);
  EXPECT_EQ(co_await stream.send(std::string{"late"}), Status::Cancelled);
}

TEST_F(GrpcClientTest, HoldsAConversation) {
  std::vector<std::string> said;
  auto task = converse(*channel, said);
  start(task);
  ASSERT_EQ(provider.streams.size(), 1u);
  auto& stream = *provider.streams.front();
  EXPECT_EQ(stream.kind, SY_GRPC_BIDIRECTIONAL);
  EXPECT_THAT(stream.messages, ElementsAre("hello"));
  stream.sent();
  stream.tell({{"initial", "1"}});
  stream.deliver(SY_OK, "a");
  stream.deliver(SY_OK, "b");
  stream.deliver(SY_CLOSED);
  EXPECT_EQ(stream.finished, 1);
  EXPECT_THAT(said, ElementsAre("a", "b"));
  stream.end(SY_GRPC_ABORTED, "enough", {{"trailing", "2"}});
  EXPECT_THAT(said, ElementsAre("a", "b", "10 enough", "initial=1", "trailing=2"));
}

TEST_F(GrpcClientTest, CancelsWhatIsGivenUp) {
  Provider::Stream* played = nullptr;
  {
    GrpcStream first{
        *channel,
        SY_GRPC_SERVER_STREAMING,
        "/test.Words/List",
        {.timeout = 1s},
        std::string{"all"}};
    played = provider.streams.back();
    EXPECT_EQ(played->request, "all");
    const GrpcStream second{std::move(first)};
    EXPECT_EQ(played->cancelled, 0);
  }
  EXPECT_EQ(played->cancelled, 1);
  played->end(SY_GRPC_CANCELLED, "");

  {
    const GrpcStream third{*channel, SY_GRPC_SERVER_STREAMING, "/test.Words/List", {.timeout = 1s}};
    played = provider.streams.back();
    played->end(SY_GRPC_OK, "");
  } // has ended: nobody is asked to cancel it
}

Task<> open_late(GrpcChannel& channel, std::string& said) {
  const GrpcStream stream{channel, SY_GRPC_BIDIRECTIONAL, "/test.Words/Talk", {.timeout = 1s}};
  EXPECT_EQ((co_await stream.receive<std::string>()).error(), Status::Cancelled);
  const auto end = co_await stream.ended();
  said = std::to_string(end.status.code) + " " + end.status.message;
}

TEST_F(GrpcClientTest, EndsAStreamThatCouldNotBegin) {
  Interfaces::provider = nullptr;
  std::string said;
  auto task = open_late(*channel, said);
  start(task);
  EXPECT_EQ(said, "14 provider has gone");
}

TEST_F(GrpcClientTest, WaitsForTheLastCall) {
  std::string said;
  auto task = ask(*channel, "question", said);
  start(task);
  const auto call = provider.unary.front();
  provider.unary.clear(); // so that close() does not answer it
  std::string seen;
  std::thread closing{[&] {
    channel.reset();
    seen = said;
  }};
  provider.closed.get_future().wait();
  call.answer(SY_GRPC_OK, "", "late");
  closing.join();
  EXPECT_EQ(seen, "late");
}

} // namespace
} // namespace switchyard

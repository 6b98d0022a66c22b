#include <switchyard/grpc/services.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tests/peer/fake_host.hpp>

#include <charconv>
#include <deque>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace switchyard {
namespace {

using peer::FakeHost;
using testing::ElementsAre;
using testing::IsEmpty;

/// A message as protoc makes them, as far as the wrapper looks at one: a number in decimal.
struct Number {
  int value = 0;

  bool ParseFromArray(const void* data, int size) {
    const auto* begin = static_cast<const char*>(data);
    const auto [end, error] = std::from_chars(begin, begin + size, value);
    return error == std::errc{} && end == begin + size;
  }

  bool SerializeToString(std::string* out) const {
    *out = std::to_string(value);
    return value != -1; // stands for a message that lacks a required field
  }
};

static_assert(GrpcMessage<Number> && GrpcMessage<std::string> && !GrpcMessage<int>);

/// The host's journal with room for one service.
struct Registered {
  static inline std::string key;
  static inline sy_grpc_service service{};

  static constexpr sy_journal kJournal{
      sizeof(sy_journal),
      0,
      [](const sy_host*,
         const char* id,
         sy_string name,
         const void* entry,
         std::size_t size,
         sy_registration** registration,
         sy_error* error) -> sy_status {
        EXPECT_STREQ(id, SY_GRPC_SERVICES);
        EXPECT_EQ(size, sizeof service);
        if (!key.empty()) return fill(error, SY_EXISTS, key + " is taken");
        key = view(name);
        service = *static_cast<const sy_grpc_service*>(entry);
        *registration = reinterpret_cast<sy_registration*>(&service);
        return SY_OK;
      },
      [](sy_registration*) { key.clear(); },
      nullptr,
      nullptr};

  static const sy_grpc_method& method(std::string_view name) {
    for (std::size_t at = 0; at < service.method_count; ++at) {
      if (view(service.methods[at]->name) == name) return *service.methods[at];
    }
    throw std::out_of_range{std::string{name}};
  }
};

/// The provider's side of one call; the test says when each operation completes.
struct Call : sy_grpc_call {
  explicit Call(std::string_view method) : sy_grpc_call{&kApi, nullptr} {
    const auto& entry = Registered::method(method);
    begin = [this, &entry](std::string_view message) {
      entry.call(entry.context, this, {message.data(), message.size()});
    };
  }

  ~Call() { Registered::service.ended(Registered::service.context, this); }

  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  static Call& of(sy_grpc_call* call) { return *static_cast<Call*>(call); }

  void deliver(sy_status status, std::string_view message = {}) {
    const auto [done, context] = std::exchange(receiving, {});
    done(context, status, {message.data(), message.size()});
  }

  void sent(sy_status status = SY_OK) {
    const auto [done, context] = std::exchange(sending, {});
    done(context, status);
  }

  void cancel() {
    refuses = SY_CANCELLED;
    Registered::service.cancel(Registered::service.context, this);
  }

  std::function<void(std::string_view message)> begin;
  sy_status refuses = SY_OK;
  std::pair<sy_grpc_received, void*> receiving{};
  std::pair<sy_grpc_sent, void*> sending{};
  std::vector<std::string> messages; ///< sent by the service
  GrpcMetadata initial;
  GrpcMetadata trailers;
  std::vector<std::string> finished; ///< "code text message"
  static constexpr sy_grpc_metadata_entry kEntry{{"who", 3}, {"tester", 6}};

  static const sy_grpc_call_api kApi;
};

constexpr sy_grpc_call_api Call::kApi{
    sizeof(sy_grpc_call_api),
    0,
    [](sy_grpc_call*, sy_grpc_call_info* info) {
      info->remote = to_c(std::string_view{"127.0.0.1:9"});
      info->metadata = {&kEntry, 1};
    },
    [](sy_grpc_call* call, sy_grpc_metadata metadata) -> sy_status {
      of(call).initial = detail::copy(metadata);
      return of(call).refuses;
    },
    [](sy_grpc_call* call, sy_bytes message, sy_grpc_sent sent, void* context) -> sy_status {
      if (of(call).refuses != SY_OK) return of(call).refuses;
      of(call).messages.push_back(detail::copy(message));
      of(call).sending = {sent, context};
      return SY_OK;
    },
    [](sy_grpc_call* call, sy_grpc_received received, void* context) -> sy_status {
      if (of(call).refuses != SY_OK) return of(call).refuses;
      of(call).receiving = {received, context};
      return SY_OK;
    },
    [](sy_grpc_call* call, const sy_grpc_status* status, sy_bytes message, sy_grpc_metadata with) {
      of(call).finished.push_back(
          std::to_string(status->code) + " " + detail::copy(status->message) + " " +
          detail::copy(message));
      of(call).trailers = detail::copy(with);
    }};

class GrpcServiceTest : public testing::Test {
protected:
  void SetUp() override { fake.offer(SY_JOURNAL, &Registered::kJournal); }

  GrpcService offer(GrpcMethods methods, GrpcService::Cancel cancel = {}) {
    return {host, "test.Numbers", SY_GRPC_ON_INTERNAL, std::move(methods), {}, std::move(cancel)};
  }

  FakeHost fake;
  const Host host{fake.get()};
};

TEST_F(GrpcServiceTest, IsThereAsLongAsItsObject) {
  const std::string set = "descriptors";
  GrpcMethods methods;
  methods.unary<Number, Number>("One", [](GrpcCall&, const Number& n) { return GrpcResult{n}; });
  methods.bidirectional("Two", [](GrpcCall&) -> Task<GrpcStatus> { co_return GrpcStatus{}; });
  {
    GrpcService first{
        host,
        "test.Numbers",
        SY_GRPC_ON_EXTERNAL | SY_GRPC_PRIVATE,
        std::move(methods),
        std::as_bytes(std::span{set})};
    const GrpcService second{std::move(first)};
    EXPECT_EQ(Registered::key, "test.Numbers");
    EXPECT_EQ(Registered::service.flags, SY_GRPC_ON_EXTERNAL | SY_GRPC_PRIVATE);
    EXPECT_EQ(detail::copy(Registered::service.descriptor_set), set);
    ASSERT_EQ(Registered::service.method_count, 2u);
    EXPECT_EQ(Registered::method("One").kind, SY_GRPC_UNARY);
    EXPECT_EQ(Registered::method("Two").kind, SY_GRPC_BIDIRECTIONAL);
    try {
      const auto third = offer({});
      FAIL();
    } catch (const Failure& failure) {
      EXPECT_STREQ(failure.what(), "test.Numbers is taken");
    }
  }
  EXPECT_EQ(Registered::key, "");
}

TEST_F(GrpcServiceTest, AnswersAtOnce) {
  GrpcMethods methods;
  methods.unary<Number, Number>("Half", [](GrpcCall& call, const Number& n) -> GrpcResult<Number> {
    EXPECT_EQ(call.metadata("who"), "tester");
    EXPECT_EQ(call.metadata("nobody"), std::nullopt);
    EXPECT_EQ(view(call.describe().remote), "127.0.0.1:9");
    if (n.value == 13) throw std::runtime_error{"unlucky"};
    call.trailers().emplace_back("parity", n.value % 2 == 0 ? "even" : "odd");
    if (n.value % 2 != 0) return GrpcStatus{SY_GRPC_INVALID_ARGUMENT, "odd", {}};
    return Number{n.value / 2};
  });
  const auto service = offer(std::move(methods));
  const std::pair<std::string_view, std::string> cases[] = {
      {"8", "0  4"},
      {"7", "3 odd "},
      {"x", "13 the request cannot be decoded "},
      {"-2", "13 the answer cannot be encoded "},
      {"13", "13 the service failed "},
  };
  for (const auto& [request, answer] : cases) {
    Call call{"Half"};
    call.begin(request);
    EXPECT_THAT(call.finished, ElementsAre(answer)) << request;
    if (request == "7") {
      EXPECT_THAT(call.trailers, ElementsAre(testing::Pair("parity", "odd")));
    }
  }
  EXPECT_THAT(fake.lines(), ElementsAre("unlucky"));
}

TEST_F(GrpcServiceTest, AnswersLater) {
  std::optional<GrpcAnswer<Number>> held;
  GrpcMethods methods;
  methods.unary<Number, Number>("Later", [&](GrpcAnswer<Number> answer, Number n) {
    if (n.value == 0) throw std::runtime_error{"nothing"};
    held.emplace(std::move(answer));
  });
  sy_grpc_call* cancelled = nullptr;
  const auto service = offer(std::move(methods), [&](sy_grpc_call* call) { cancelled = call; });
  {
    Call call{"Later"};
    call.begin("1");
    EXPECT_THAT(call.finished, IsEmpty());
    call.cancel();
    EXPECT_EQ(cancelled, &call);
    EXPECT_EQ(held->get(), &call);
    std::move(*held).reply({41}, {{"key", "value"}});
    EXPECT_THAT(call.finished, ElementsAre("0  41"));
    EXPECT_THAT(call.trailers, ElementsAre(testing::Pair("key", "value")));
    held.reset();
  }
  {
    Call call{"Later"};
    call.begin("1");
    std::move(*held).fail({SY_GRPC_NOT_FOUND, "none", {}});
    EXPECT_THAT(call.finished, ElementsAre("5 none "));
    held.reset();
  }
  const std::pair<std::string_view, std::string> dropped[] = {
      {"1", "14 the service has gone without an answer "},
      {"0", "14 the service has gone without an answer "},
      {"x", "13 the request cannot be decoded "},
  };
  for (const auto& [request, answer] : dropped) {
    Call call{"Later"};
    call.begin(request);
    held.reset();
    EXPECT_THAT(call.finished, ElementsAre(answer)) << request;
  }
}

Task<GrpcStatus> count_down(GrpcCall& call, Number from) {
  if (call.send_metadata({{"from", std::to_string(from.value)}})) co_return GrpcStatus{};
  for (auto n = from.value; n > 0; --n) {
    if (const auto error = co_await call.send(Number{n})) {
      co_return GrpcStatus{SY_GRPC_CANCELLED, call.cancelled() ? "told" : error.message(), {}};
    }
  }
  co_return GrpcStatus{};
}

TEST_F(GrpcServiceTest, SendsAsFastAsIsTaken) {
  GrpcMethods methods;
  methods.server_streaming<Number>("CountDown", count_down);
  const auto service = offer(std::move(methods));
  {
    Call call{"CountDown"};
    call.begin("2");
    EXPECT_THAT(call.initial, ElementsAre(testing::Pair("from", "2")));
    EXPECT_THAT(call.messages, ElementsAre("2"));
    call.sent();
    EXPECT_THAT(call.messages, ElementsAre("2", "1"));
    EXPECT_THAT(call.finished, IsEmpty());
    call.sent();
    EXPECT_THAT(call.finished, ElementsAre("0  "));
  }
  {
    Call call{"CountDown"};
    call.begin("2");
    call.cancel();
    call.sent(SY_CANCELLED);
    EXPECT_THAT(call.finished, ElementsAre("1 told "));
  }
  {
    Call call{"CountDown"};
    call.begin("x");
    EXPECT_THAT(call.finished, ElementsAre("13 the request cannot be decoded "));
  }
}

Task<GrpcResult<Number>> sum(GrpcCall& call) {
  auto total = 0;
  for (;;) {
    auto received = co_await call.receive<Number>();
    if (!received) {
      if (received.error() == Status::Closed) co_return Number{total};
      co_return GrpcStatus{SY_GRPC_INVALID_ARGUMENT, received.error().message(), {}};
    }
    if (received->value == 13) throw std::runtime_error{"unlucky"};
    total += received->value;
  }
}

TEST_F(GrpcServiceTest, ReceivesUntilTheClientHasFinished) {
  GrpcMethods methods;
  methods.client_streaming<Number>("Sum", sum);
  const auto service = offer(std::move(methods));

  struct Case {
    std::vector<std::pair<sy_status, std::string>> received;
    std::string answer;
  };

  const Case cases[] = {
      {{{SY_OK, "1"}, {SY_OK, "2"}, {SY_CLOSED, ""}}, "0  3"},
      {{{SY_CLOSED, ""}}, "0  0"},
      {{{SY_OK, "1"}, {SY_OK, "two"}}, "3 invalid "},
      {{{SY_CANCELLED, ""}}, "3 cancelled "},
      {{{SY_OK, "13"}}, "13 the service failed "},
      {{{SY_OK, "-1"}, {SY_CLOSED, ""}}, "13 the answer cannot be encoded "},
  };
  for (const auto& [received, answer] : cases) {
    Call call{"Sum"};
    call.begin("");
    for (const auto& [status, message] : received)
      call.deliver(status, message);
    EXPECT_THAT(call.finished, ElementsAre(answer));
  }
  EXPECT_THAT(fake.lines(), ElementsAre("unlucky"));
}

Task<GrpcStatus> echo(GrpcCall& call) {
  for (;;) {
    auto received = co_await call.receive<std::string>();
    if (!received) co_return GrpcStatus{};
    if (co_await call.send(*received)) co_return GrpcStatus{};
  }
}

TEST_F(GrpcServiceTest, SpeaksBothWays) {
  GrpcMethods methods;
  methods.bidirectional("Echo", echo);
  const auto service = offer(std::move(methods));
  Call call{"Echo"};
  call.begin("");
  call.deliver(SY_OK, "a");
  EXPECT_THAT(call.messages, ElementsAre("a"));
  call.sent();
  call.deliver(SY_OK, "");
  call.sent();
  EXPECT_THAT(call.messages, ElementsAre("a", ""));
  call.refuses = SY_CANCELLED;
  call.deliver(SY_OK, "b");
  EXPECT_THAT(call.finished, ElementsAre("0  "));
}

TEST_F(GrpcServiceTest, WaitsForNoClientInADrain) {
  GrpcMethods methods;
  methods.client_streaming<Number>("Sum", sum);
  const auto service = offer(std::move(methods));
  Call call{"Sum"};
  call.begin("");
  call.deliver(SY_OK, "1");
  ASSERT_NE(call.receiving.first, nullptr);
  Registered::service.cancel(Registered::service.context, &call);
  EXPECT_THAT(call.finished, ElementsAre("3 cancelled "));
  call.deliver(SY_OK, "2"); // what was in flight completes later
}

/// Completes every operation at once, on another thread, and ends the call as soon as it is
/// finished: no frame may be touched by the thread that began the operation.
struct Hasty : sy_grpc_call {
  Hasty() : sy_grpc_call{&kApi, nullptr}, thread{[this] { run(); }} {}

  void post(std::function<void()> work) {
    const std::lock_guard lock{mutex};
    queue.push_back(std::move(work));
    changed.notify_one();
  }

  void run() {
    for (std::unique_lock lock{mutex};;) {
      changed.wait(lock, [&] { return !queue.empty(); });
      const auto work = std::move(queue.front());
      queue.pop_front();
      lock.unlock();
      work();
      if (over) return;
      lock.lock();
    }
  }

  int left = 100;
  bool over = false; // on the thread

  static Hasty& of(sy_grpc_call* call) { return *static_cast<Hasty*>(call); }

  static const sy_grpc_call_api kApi;

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> queue;
  std::thread thread;
};

constexpr sy_grpc_call_api Hasty::kApi{
    sizeof(sy_grpc_call_api),
    0,
    nullptr,
    nullptr,
    [](sy_grpc_call* call, sy_bytes, sy_grpc_sent sent, void* context) -> sy_status {
      of(call).post([sent, context] { sent(context, SY_OK); });
      return SY_OK;
    },
    [](sy_grpc_call* call, sy_grpc_received received, void* context) -> sy_status {
      const auto status = of(call).left-- > 0 ? SY_OK : SY_CLOSED;
      of(call).post([=] { received(context, status, {"x", 1}); });
      return SY_OK;
    },
    [](sy_grpc_call* call, const sy_grpc_status*, sy_bytes, sy_grpc_metadata) {
      of(call).post([call] {
        Registered::service.ended(Registered::service.context, call);
        of(call).over = true;
      });
    }};

TEST_F(GrpcServiceTest, GoesOnOnAnyThread) {
  GrpcMethods methods;
  methods.bidirectional("Echo", echo);
  const auto service = offer(std::move(methods));
  const auto& method = Registered::method("Echo");
  for (int round = 0; round < 50; ++round) {
    Hasty call;
    method.call(method.context, &call, {});
    call.thread.join();
    EXPECT_EQ(call.left, -1);
  }
}

} // namespace
} // namespace switchyard

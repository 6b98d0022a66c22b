#pragma once

#include <switchyard/grpc/client.h>
#include <switchyard/grpc/operation.hpp>
#include <switchyard/grpc/status.hpp>
#include <switchyard/interfaces.hpp>

#include <chrono>
#include <condition_variable>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace switchyard {

/// A server, and how it is spoken to; the fields are those of sy_dial_options and
/// sy_grpc_channel_options.
struct GrpcTarget {
  std::string address = {}; ///< "ip:port", "[ip]:port" or "name:port"
  sy_dial_tls tls = SY_DIAL_CLEAR;
  std::int32_t tag = SY_DIAL_NO_TAG;
  bool use_certificate = false;
  std::string alpn = {};
  std::string server_name = {};
  std::string trust_roots = {};
  std::chrono::nanoseconds dial_timeout{0}; ///< 0: the host's limit
  std::string authority = {};
  std::uint64_t max_receive = 0; ///< bytes of a message; 0: 4 MiB
  std::uint64_t max_send = 0;    ///< bytes of a message; 0: no limit
  std::chrono::nanoseconds keepalive{0};
};

/// What goes with one call. `timeout` is for the whole of it.
struct GrpcCallOptions {
  std::chrono::nanoseconds timeout;
  GrpcMetadata metadata = {};
};

/// How a stream ended.
struct GrpcEnd {
  GrpcStatus status;
  GrpcMetadata trailers;
};

/// Calls of one server, dialled when it is needed and opened anew when the provider was replaced.
/// Made and destroyed on control, outliving the coroutines that wait in its calls; the manifest
/// requires switchyard.grpc.client/1. Calls: any thread.
class GrpcChannel {
public:
  /// Throws Failure when the manifest does not require the interface.
  GrpcChannel(const Host& host, GrpcTarget target)
      : handle_{host, SY_GRPC_CLIENT}, target_{std::move(target)} {}

  GrpcChannel(const GrpcChannel&) = delete;
  GrpcChannel& operator=(const GrpcChannel&) = delete;

  /// Cancels its calls and returns when all have ended.
  ~GrpcChannel() {
    close();
    std::unique_lock lock{mutex_};
    none_left_.wait(lock, [&] { return calls_ == 0; });
  }

  /// Cancels its calls. The next one opens it again.
  void close() {
    sy_grpc_channel* channel = nullptr;
    {
      const std::lock_guard lock{mutex_};
      channel = std::exchange(channel_, nullptr);
    }
    if (channel == nullptr) return;
    if (auto lease = handle_.lease()) lease->close(lease.provider(), channel);
  }

private:
  friend class GrpcStream;
  template <GrpcMessage Reply>
  friend class GrpcUnary;

  /// Does `start`, which gets the table, the provider and a channel of it.
  template <class Start>
  [[nodiscard]] sy_status begin(Start start) {
    enter(); // the call may be over, and with it all others, before `start` has returned
    // Twice, as the first attempt may show that the channel was an earlier provider's.
    auto status = try_begin(start);
    if (status == SY_REVOKED) status = try_begin(start);
    left();
    return status;
  }

  template <class Start>
  [[nodiscard]] sy_status try_begin(Start& start) {
    auto lease = handle_.lease();
    if (!lease) return SY_REVOKED;
    sy_grpc_channel* channel = nullptr;
    auto status = open(lease, channel);
    if (status != SY_OK) return status;
    status = start(*lease.operator->(), lease.provider(), channel);
    if (status == SY_REVOKED) forget(channel);
    return status;
  }

  void enter() {
    const std::lock_guard lock{mutex_};
    ++calls_;
  }

  void left() {
    const std::lock_guard lock{mutex_};
    if (--calls_ == 0) none_left_.notify_all();
  }

  sy_status open(Lease<sy_grpc_client>& lease, sy_grpc_channel*& channel) {
    const std::lock_guard lock{mutex_};
    if (channel_ == nullptr) {
      sy_dial_options dial{};
      dial.struct_size = sizeof dial;
      dial.tls = target_.tls;
      dial.tag = target_.tag;
      dial.use_certificate = target_.use_certificate ? 1 : 0;
      dial.address = to_c(target_.address);
      dial.alpn = to_c(target_.alpn);
      dial.server_name = to_c(target_.server_name);
      dial.trust_roots = to_c(target_.trust_roots);
      dial.timeout = static_cast<std::uint64_t>(target_.dial_timeout.count());
      sy_grpc_channel_options options{};
      options.struct_size = sizeof options;
      options.dial = &dial;
      options.authority = to_c(target_.authority);
      options.max_receive = target_.max_receive;
      options.max_send = target_.max_send;
      options.keepalive = static_cast<std::uint64_t>(target_.keepalive.count());
      auto error = make_error();
      const auto status = lease->open(lease.provider(), &options, &channel_, &error);
      if (status != SY_OK) {
        channel_ = nullptr;
        return status;
      }
    }
    channel = channel_;
    return SY_OK;
  }

  void forget(const sy_grpc_channel* channel) {
    const std::lock_guard lock{mutex_};
    if (channel_ == channel) channel_ = nullptr;
  }

  InterfaceHandle<sy_grpc_client> handle_;
  const GrpcTarget target_;
  std::mutex mutex_;
  std::condition_variable none_left_;
  sy_grpc_channel* channel_ = nullptr; // under mutex_, as calls_
  std::size_t calls_ = 0;
};

/// `co_await GrpcUnary<Reply>{channel, "/package.Service/Method", request, options}` calls a unary
/// method and gives a GrpcResult<Reply>. It goes on on a thread of the provider; the coroutine must
/// not be destroyed while it waits: close the channel, which ends the call.
template <GrpcMessage Reply>
class [[nodiscard]] GrpcUnary {
public:
  template <GrpcMessage Request>
  GrpcUnary(
      GrpcChannel& channel,
      std::string_view method,
      const Request& request,
      GrpcCallOptions options)
      : channel_{channel}, method_{method}, options_{std::move(options)} {
    if (!detail::encode(request, request_)) fail(SY_GRPC_INTERNAL, "the request cannot be encoded");
  }

  GrpcUnary(const GrpcUnary&) = delete;
  GrpcUnary& operator=(const GrpcUnary&) = delete;

  [[nodiscard]] bool await_ready() const noexcept { return !result_.status().ok(); }

  /// Not inlined, as in GrpcSend.
  [[gnu::noinline]] bool await_suspend(std::coroutine_handle<> waiting) {
    waiting_ = waiting;
    const detail::BorrowedMetadata metadata{options_.metadata};
    const sy_grpc_request request{
        sizeof request,
        SY_GRPC_UNARY,
        to_c(method_),
        metadata.get(),
        detail::bytes_of(request_),
        static_cast<std::uint64_t>(options_.timeout.count())};
    auto& channel = channel_;
    channel.enter();
    const auto status =
        channel.begin([&](const sy_grpc_client& table, void* provider, sy_grpc_channel* open) {
          return table.unary(provider, open, &request, &GrpcUnary::answered, this);
        });
    if (status == SY_OK) return true;
    fail(SY_GRPC_UNAVAILABLE, to_error_code(status).message());
    channel.left();
    return false;
  }

  [[nodiscard]] GrpcResult<Reply> await_resume() noexcept { return std::move(result_); }

private:
  static void answered(
      void* context,
      const sy_grpc_status* status,
      sy_bytes message,
      sy_grpc_metadata,
      sy_grpc_metadata) noexcept {
    auto& self = *static_cast<GrpcUnary*>(context);
    auto& channel = self.channel_;
    if (status->code != SY_GRPC_OK) {
      self.result_ = detail::copy(*status);
    } else {
      Reply reply;
      if (detail::decode(message, reply)) {
        self.result_ = std::move(reply);
      } else {
        self.fail(SY_GRPC_INTERNAL, "the answer cannot be decoded");
      }
    }
    self.waiting_.resume();
    channel.left();
  }

  void fail(sy_grpc_code code, std::string text) {
    result_ = GrpcStatus{code, std::move(text), {}};
  }

  GrpcChannel& channel_;
  const std::string method_;
  std::string request_;
  const GrpcCallOptions options_;
  GrpcResult<Reply> result_{Reply{}};
  std::coroutine_handle<> waiting_;
};

/// A call with a stream of messages in one direction or both; cancelled by its destructor when it
/// has not ended. Move-only. Any thread, one send and one receive at a time. A coroutine that waits
/// in it goes on on a thread of the provider, and must not be destroyed meanwhile: cancel first.
class GrpcStream {
public:
  GrpcStream() noexcept = default;

  /// Begins a call; `request` is that of a server-streaming method, and left out otherwise. A
  /// stream that could not begin has ended as unavailable.
  template <GrpcMessage Request = std::string>
  GrpcStream(
      GrpcChannel& channel,
      sy_grpc_kind kind,
      std::string_view method,
      const GrpcCallOptions& options,
      const Request& request = {})
      : state_{std::make_shared<State>(channel)} {
    std::string message;
    if (detail::encode(request, message)) {
      begin(kind, method, options, message);
    } else {
      state_->end = GrpcEnd{{SY_GRPC_INTERNAL, "the request cannot be encoded", {}}, {}};
    }
  }

  GrpcStream(GrpcStream&&) noexcept = default;

  GrpcStream& operator=(GrpcStream&& other) noexcept {
    cancel();
    state_ = std::move(other.state_);
    return *this;
  }

  ~GrpcStream() { cancel(); }

  /// co_await: sends a message; waits until the next may follow.
  template <GrpcMessage Message>
  [[nodiscard]] auto send(const Message& message) const {
    return GrpcSend{message, [state = state_](sy_bytes bytes, sy_grpc_sent sent, void* context) {
                      return state->with_stream([&](sy_grpc_stream* stream) {
                        return stream->api->send(stream, bytes, sent, context);
                      });
                    }};
  }

  /// No message follows; not while a send is in flight.
  [[nodiscard]] std::error_code finish_sending() const {
    return to_error_code(state_->with_stream(
        [](sy_grpc_stream* stream) { return stream->api->finish_sending(stream); }));
  }

  /// co_await: the server's next message.
  template <GrpcMessage Message>
  [[nodiscard]] auto receive() const {
    const auto start = [state = state_](sy_grpc_received received, void* context) {
      return state->with_stream(
          [&](sy_grpc_stream* stream) { return stream->api->receive(stream, received, context); });
    };
    return GrpcReceive<Message, decltype(start)>{start};
  }

  /// Ends it early; nothing when it has ended.
  void cancel() const noexcept {
    if (state_ == nullptr) return;
    static_cast<void>(state_->with_stream([](sy_grpc_stream* stream) {
      stream->api->cancel(stream);
      return SY_OK;
    }));
  }

  /// The server's initial metadata; empty before the first message.
  [[nodiscard]] GrpcMetadata metadata() const {
    const std::lock_guard lock{state_->mutex};
    return state_->metadata;
  }

  /// co_await: how it ended; once.
  [[nodiscard]] auto ended() const noexcept {
    struct Wait {
      std::shared_ptr<State> state;

      [[nodiscard]] bool await_ready() const noexcept { return false; }

      [[gnu::noinline]] bool await_suspend(std::coroutine_handle<> waiting) noexcept {
        const auto held = state;
        const std::lock_guard lock{held->mutex};
        if (held->end) return false;
        held->waiting = waiting;
        return true;
      }

      [[nodiscard]] GrpcEnd await_resume() const { return std::move(*state->end); }
    };

    return Wait{state_};
  }

private:
  void begin(
      sy_grpc_kind kind,
      std::string_view method,
      const GrpcCallOptions& options,
      std::string_view message) {
    auto& channel = state_->channel;
    const detail::BorrowedMetadata metadata{options.metadata};
    const sy_grpc_request request{
        sizeof request,
        kind,
        to_c(method),
        metadata.get(),
        detail::bytes_of(message),
        static_cast<std::uint64_t>(options.timeout.count())};
    state_->self = state_;
    channel.enter();
    sy_grpc_stream* stream = nullptr;
    const auto status =
        channel.begin([&](const sy_grpc_client& table, void* provider, sy_grpc_channel* open) {
          return table.call(provider, open, &request, &kEvents, state_.get(), &stream);
        });
    const std::lock_guard lock{state_->mutex};
    if (status == SY_OK) {
      if (!state_->end) state_->stream = stream;
      return;
    }
    state_->end = GrpcEnd{{SY_GRPC_UNAVAILABLE, to_error_code(status).message(), {}}, {}};
    state_->self.reset();
    channel.left();
  }

  struct State {
    explicit State(GrpcChannel& channel_) : channel{channel_} {}

    GrpcChannel& channel;
    std::mutex mutex;
    sy_grpc_stream* stream = nullptr; // the rest is under mutex; null when it has ended
    GrpcMetadata metadata;
    std::optional<GrpcEnd> end;
    std::coroutine_handle<> waiting;
    std::shared_ptr<State> self; // the provider's share

    template <class Operation>
    sy_status with_stream(Operation operation) {
      const std::lock_guard lock{mutex};
      return stream == nullptr ? SY_CANCELLED : operation(stream);
    }
  };

  static void told(void* context, sy_grpc_stream*, sy_grpc_metadata metadata) noexcept {
    auto& state = *static_cast<State*>(context);
    const std::lock_guard lock{state.mutex};
    state.metadata = detail::copy(metadata);
  }

  static void over(
      void* context,
      sy_grpc_stream*,
      const sy_grpc_status* status,
      sy_grpc_metadata trailers) noexcept {
    const auto state = std::move(static_cast<State*>(context)->self);
    std::coroutine_handle<> waiting;
    {
      const std::lock_guard lock{state->mutex};
      state->stream = nullptr;
      state->end = GrpcEnd{detail::copy(*status), detail::copy(trailers)};
      waiting = std::exchange(state->waiting, {});
    }
    if (waiting) waiting.resume();
    state->channel.left();
  }

  static constexpr sy_grpc_events kEvents{sizeof(sy_grpc_events), 0, &told, &over};

  std::shared_ptr<State> state_;
};

} // namespace switchyard

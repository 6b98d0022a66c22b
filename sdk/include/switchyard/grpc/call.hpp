#pragma once

#include <switchyard/grpc/operation.hpp>
#include <switchyard/grpc/services.h>
#include <switchyard/grpc/status.hpp>
#include <switchyard/host.hpp>
#include <switchyard/task.hpp>

#include <atomic>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace switchyard {

/// A gRPC call while its method answers it. What is said here is valid until the method has
/// returned, a coroutine's until its end. Any thread, one at a time.
class GrpcCall {
public:
  explicit GrpcCall(sy_grpc_call* call) noexcept : call_{call} {}

  GrpcCall(const GrpcCall&) = delete;
  GrpcCall& operator=(const GrpcCall&) = delete;

  /// What a Cancel names.
  [[nodiscard]] sy_grpc_call* get() const noexcept { return call_; }

  [[nodiscard]] sy_grpc_call_info describe() const noexcept {
    sy_grpc_call_info info{};
    info.struct_size = sizeof info;
    call_->api->describe(call_, &info);
    return info;
  }

  /// The first value of that key which the client sent.
  [[nodiscard]] std::optional<std::string_view> metadata(std::string_view key) const noexcept {
    const auto all = describe().metadata;
    for (std::size_t at = 0; at < all.count; ++at) {
      const auto& [name, value] = all.entries[at];
      if (view(name) == key)
        return view(sy_string{static_cast<const char*>(value.data), value.size});
    }
    return std::nullopt;
  }

  /// Sends the initial metadata now; at most once, before the first message.
  [[nodiscard]] std::error_code send_metadata(const GrpcMetadata& metadata) const {
    return to_error_code(
        call_->api->send_metadata(call_, detail::BorrowedMetadata{metadata}.get()));
  }

  /// What goes out with the status.
  [[nodiscard]] GrpcMetadata& trailers() noexcept { return trailers_; }

  /// Coroutines only: the client has gone, the deadline has passed, or the server drains.
  [[nodiscard]] bool cancelled() const noexcept { return cancelled_; }

  /// co_await: sends a message; waits until the next may follow.
  template <GrpcMessage Message>
  [[nodiscard]] auto send(const Message& message) const {
    return GrpcSend{message, [call = call_](sy_bytes bytes, sy_grpc_sent sent, void* context) {
                      return call->api->send(call, bytes, sent, context);
                    }};
  }

  /// co_await: the client's next message; Status::Cancelled as soon as cancelled(), too.
  template <GrpcMessage Message>
  [[nodiscard]] auto receive() {
    return Receive<Message>{*this};
  }

private:
  friend class GrpcCoroutine;
  friend class GrpcMethods;

  /// Who waits for a message.
  class Receiver {
  public:
    virtual void go_on(sy_status status, sy_bytes message) noexcept = 0;

  protected:
    ~Receiver() = default;
  };

  /// Waits in the coroutine's frame, while the operation refers to the call alone: a drain ends the
  /// wait before the operation ends.
  template <GrpcMessage Message>
  class [[nodiscard]] Receive final : public Receiver {
  public:
    explicit Receive(GrpcCall& call) noexcept : call_{call} {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    /// Not inlined, as in GrpcSend.
    [[gnu::noinline]] bool await_suspend(std::coroutine_handle<> waiting) noexcept {
      auto& call = call_;
      waiting_ = waiting;
      call.receiver_ = this;
      auto status = SY_CANCELLED;
      if (!call.cancelled_) {
        status = call.call_->api->receive(call.call_, &GrpcCall::arrived, &call);
        if (status == SY_OK) return true;
      }
      if (call.receiver_.exchange(nullptr) == nullptr) return true; // cancelled: goes on already
      received_.fill(status, {});
      return false;
    }

    [[nodiscard]] GrpcReceived<Message> await_resume() noexcept { return std::move(received_); }

    void go_on(sy_status status, sy_bytes message) noexcept override {
      received_.fill(status, message);
      waiting_.resume();
    }

  private:
    GrpcCall& call_;
    GrpcReceived<Message> received_;
    std::coroutine_handle<> waiting_;
  };

  static void arrived(void* self, sy_status status, sy_bytes message) noexcept {
    auto* const receiver = static_cast<GrpcCall*>(self)->receiver_.exchange(nullptr);
    if (receiver != nullptr) receiver->go_on(status, message);
  }

  void be_cancelled() noexcept {
    cancelled_ = true;
    arrived(this, SY_CANCELLED, {});
  }

  template <class Message>
  void finish(const GrpcResult<Message>& result) {
    if (!result) return finish(result.status());
    std::string bytes;
    if (!detail::encode(*result, bytes))
      return finish(GrpcStatus{SY_GRPC_INTERNAL, kNotEncoded, {}});
    finish(GrpcStatus{}, bytes);
  }

  /// Nothing of this object may be touched afterwards.
  void finish(const GrpcStatus& status, std::string_view message = {}) const {
    const auto borrowed = detail::borrow(status);
    call_->api->finish(
        call_, &borrowed, detail::bytes_of(message), detail::BorrowedMetadata{trailers_}.get());
  }

  static constexpr const char* kNotDecoded = "the request cannot be decoded";
  static constexpr const char* kNotEncoded = "the answer cannot be encoded";
  static constexpr const char* kFailed = "the service failed";

  sy_grpc_call* call_;
  GrpcMetadata trailers_;
  std::atomic<bool> cancelled_ = false;
  std::atomic<Receiver*> receiver_ = nullptr;
};

/// A call that is answered by a coroutine: freed when the provider says that it has ended.
class GrpcCoroutine {
public:
  GrpcCoroutine(const Host& host, sy_grpc_call* raw) noexcept : host_{host}, call_{raw} {}

  GrpcCoroutine(const GrpcCoroutine&) = delete;
  GrpcCoroutine& operator=(const GrpcCoroutine&) = delete;

  [[nodiscard]] GrpcCall& call() noexcept { return call_; }

  /// `make` gives a Task<> that ends in set_outcome; the call is finished at its end, on whatever
  /// thread that is.
  template <class Make>
  static void begin(const Host& host, sy_grpc_call* raw, Make make) noexcept {
    std::unique_ptr<GrpcCoroutine> made;
    logged_at_boundary(host, [&] {
      made = std::make_unique<GrpcCoroutine>(host, raw);
      made->task_ = make(*made);
      made->runs_ = true;
    });
    if (made == nullptr || !made->runs_) {
      const sy_grpc_status failed{
          sizeof failed, SY_GRPC_INTERNAL, to_c(std::string_view{GrpcCall::kFailed}), {}};
      return raw->api->finish(raw, &failed, {}, {});
    }
    auto* self = made.release();
    raw->user = self;
    self->task_.start(&GrpcCoroutine::at_end, self);
  }

  template <class Message>
  void set_outcome(GrpcResult<Message> result) {
    status_ = result.status();
    if (result && !detail::encode(*result, message_)) {
      status_ = {SY_GRPC_INTERNAL, GrpcCall::kNotEncoded, {}};
    }
  }

  void set_outcome(GrpcStatus status) { status_ = std::move(status); }

  void set_undecoded() { status_ = {SY_GRPC_INTERNAL, GrpcCall::kNotDecoded, {}}; }

  /// As sy_grpc_service.cancel.
  static void cancelled(sy_grpc_call* raw) noexcept {
    if (raw->user != nullptr) static_cast<GrpcCoroutine*>(raw->user)->call_.be_cancelled();
  }

  /// As sy_grpc_service.ended.
  static void ended(sy_grpc_call* raw) noexcept { delete static_cast<GrpcCoroutine*>(raw->user); }

private:
  static void at_end(void* context, std::exception_ptr thrown) noexcept {
    auto& self = *static_cast<GrpcCoroutine*>(context);
    if (thrown) {
      logged_at_boundary(self.host_, [&] { std::rethrow_exception(std::move(thrown)); });
      self.status_ = {SY_GRPC_INTERNAL, GrpcCall::kFailed, {}};
    }
    self.call_.finish(self.status_, self.status_.ok() ? self.message_ : std::string_view{});
  }

  Host host_;
  GrpcCall call_;
  GrpcStatus status_;
  std::string message_;
  Task<> task_;
  bool runs_ = false;
};

/// A unary call that waits for its answer. Dropped without one, it fails as unavailable, so that
/// the client may try again. Move-only. Any thread, one at a time.
template <GrpcMessage Reply>
class GrpcAnswer {
public:
  explicit GrpcAnswer(sy_grpc_call* call) noexcept : call_{call} {}

  /// Which call it is: what a Cancel names.
  [[nodiscard]] sy_grpc_call* get() const noexcept { return call_.get(); }

  void reply(const Reply& message, const GrpcMetadata& trailers = {}) && {
    std::string bytes;
    if (!detail::encode(message, bytes)) {
      return std::move(*this).fail({SY_GRPC_INTERNAL, "the answer cannot be encoded", {}});
    }
    finish({}, bytes, trailers);
  }

  /// `status` is not SY_GRPC_OK.
  void fail(const GrpcStatus& status, const GrpcMetadata& trailers = {}) && {
    finish(status, {}, trailers);
  }

private:
  struct Drop {
    void operator()(sy_grpc_call* call) const noexcept {
      constexpr std::string_view kGone = "the service has gone without an answer";
      const sy_grpc_status status{sizeof status, SY_GRPC_UNAVAILABLE, to_c(kGone), {}};
      call->api->finish(call, &status, {}, {});
    }
  };

  void finish(const GrpcStatus& status, std::string_view message, const GrpcMetadata& trailers) {
    const detail::BorrowedMetadata borrowed_trailers{trailers};
    const auto borrowed = detail::borrow(status);
    auto* const call = call_.release();
    call->api->finish(call, &borrowed, detail::bytes_of(message), borrowed_trailers.get());
  }

  std::unique_ptr<sy_grpc_call, Drop> call_;
};

} // namespace switchyard

#pragma once

#include <switchyard/grpc/message.hpp>
#include <switchyard/grpc/status.h>
#include <switchyard/status.hpp>

#include <coroutine>
#include <string>
#include <system_error>
#include <utility>

namespace switchyard {

/// What `receive` has come to: true with a message. Otherwise Status::Closed (the other side has
/// sent its last), Status::Cancelled (the call is over), Status::Invalid (no such message).
template <GrpcMessage Message>
class [[nodiscard]] GrpcReceived {
public:
  GrpcReceived() = default;

  explicit operator bool() const noexcept { return status_ == SY_OK; }

  [[nodiscard]] std::error_code error() const noexcept { return to_error_code(status_); }

  [[nodiscard]] Message& operator*() noexcept { return message_; }

  [[nodiscard]] Message* operator->() noexcept { return &message_; }

  void fill(sy_status status, sy_bytes bytes) {
    status_ = status;
    if (status == SY_OK && !detail::decode(bytes, message_)) status_ = SY_INVALID;
  }

private:
  sy_status status_ = SY_CANCELLED;
  Message message_;
};

/// What `co_await` does with a send. It goes on on a thread of the provider; the coroutine must not
/// be destroyed while it waits.
template <class Start>
class [[nodiscard]] GrpcSend {
public:
  /// `start` gets the message, which it copies, the function and its context.
  template <GrpcMessage Message>
  GrpcSend(const Message& message, Start start) : start_{std::move(start)} {
    if (!detail::encode(message, bytes_)) status_ = SY_INVALID;
  }

  [[nodiscard]] bool await_ready() const noexcept { return status_ != SY_OK; }

  /// Not inlined: another thread may go on with the coroutine, and free its frame, before `start_`
  /// has returned, so nothing of this function may be kept there.
  [[gnu::noinline]] bool await_suspend(std::coroutine_handle<> waiting) noexcept {
    waiting_ = waiting;
    const auto status =
        start_(sy_bytes{bytes_.data(), bytes_.size()}, &GrpcSend::sent, static_cast<void*>(this));
    if (status == SY_OK) return true;
    status_ = status;
    return false;
  }

  [[nodiscard]] std::error_code await_resume() const noexcept { return to_error_code(status_); }

private:
  static void sent(void* context, sy_status status) noexcept {
    auto& self = *static_cast<GrpcSend*>(context);
    self.status_ = status;
    self.waiting_.resume();
  }

  Start start_;
  std::string bytes_;
  sy_status status_ = SY_OK;
  std::coroutine_handle<> waiting_;
};

template <class Message, class Start>
GrpcSend(const Message&, Start) -> GrpcSend<Start>;

/// The same for a receive.
template <GrpcMessage Message, class Start>
class [[nodiscard]] GrpcReceive {
public:
  explicit GrpcReceive(Start start) : start_{std::move(start)} {}

  [[nodiscard]] bool await_ready() const noexcept { return false; }

  /// Not inlined, as in GrpcSend.
  [[gnu::noinline]] bool await_suspend(std::coroutine_handle<> waiting) noexcept {
    waiting_ = waiting;
    const auto status = start_(&GrpcReceive::arrived, static_cast<void*>(this));
    if (status == SY_OK) return true;
    received_.fill(status, {});
    return false;
  }

  [[nodiscard]] GrpcReceived<Message> await_resume() noexcept { return std::move(received_); }

private:
  static void arrived(void* context, sy_status status, sy_bytes bytes) noexcept {
    auto& self = *static_cast<GrpcReceive*>(context);
    self.received_.fill(status, bytes);
    self.waiting_.resume();
  }

  Start start_;
  GrpcReceived<Message> received_;
  std::coroutine_handle<> waiting_;
};

} // namespace switchyard

#pragma once

#include <switchyard/host.hpp>
#include <switchyard/netrpc/endpoints.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace switchyard {

/// A net/rpc call that waits for its answer; dropped without one, so that the client tries another
/// server, when nobody gives it. Move-only. Any thread, one at a time.
class NetrpcCall {
public:
  explicit NetrpcCall(sy_netrpc_call* call) noexcept : call_{call} {}

  /// Which call it is: what a cancel names.
  [[nodiscard]] sy_netrpc_call* get() const noexcept { return call_.get(); }

  /// Answers with one msgpack object, which is copied.
  void reply(std::span<const std::byte> body) && noexcept {
    auto* call = call_.release();
    call->api->reply(call, to_c(body));
  }

  /// Answers with an error text, which is copied; clients match on it word for word.
  void fail(std::string_view text) && noexcept {
    auto* call = call_.release();
    call->api->fail(call, to_c(text));
  }

  /// As fail, and the stream is closed then: for a body that does not decode.
  void reject(std::string_view text) && noexcept {
    auto* call = call_.release();
    call->api->reject(call, to_c(text));
  }

  /// "ip:port" of the caller, or "in-process"; valid until the call is answered.
  [[nodiscard]] std::string_view remote() const noexcept {
    return view(call_->api->remote(call_.get()));
  }

private:
  struct Drop {
    void operator()(sy_netrpc_call* call) const noexcept { call->api->drop(call); }
  };

  std::unique_ptr<sy_netrpc_call, Drop> call_;
};

/// A net/rpc method that this plugin answers, as long as this object lives. Made and destroyed on
/// control; the manifest requires switchyard.netrpc.endpoints/1.
class NetrpcEndpoint {
public:
  /// Takes one call; `body` is one msgpack object, borrowed. What it throws drops the call and is
  /// logged. Any thread, several at a time.
  using Handler = std::function<void(NetrpcCall call, std::span<const std::byte> body)>;

  /// Told that the caller has gone or the server drains: answer soon. Any thread; the call may be
  /// answered by another one at the same time.
  using Cancel = std::function<void(sy_netrpc_call* call)>;

  /// `method` is "Service.Method"; `flags` SY_NETRPC_…. Throws Failure when the name is taken.
  NetrpcEndpoint(
      const Host& host,
      std::string_view method,
      Handler handler,
      Cancel cancel = {},
      std::uint32_t flags = 0)
      : journal_{&host.require<sy_journal>()},
        functions_{new Functions{host, std::move(handler), std::move(cancel)}} {
    sy_netrpc_endpoint entry{};
    entry.struct_size = sizeof entry;
    entry.flags = flags;
    entry.context = functions_.get();
    entry.call = &Functions::call;
    if (functions_->cancel) entry.cancel = &Functions::told;
    auto error = make_error();
    throw_unless_ok(
        journal_->add(
            host.get(),
            SY_NETRPC_ENDPOINTS,
            to_c(method),
            &entry,
            sizeof entry,
            &registration_,
            &error),
        error);
  }

  NetrpcEndpoint(NetrpcEndpoint&& other) noexcept
      : journal_{other.journal_},
        functions_{std::move(other.functions_)},
        registration_{std::exchange(other.registration_, nullptr)} {}

  NetrpcEndpoint& operator=(NetrpcEndpoint&&) = delete;

  /// Returns when no call is running any more.
  ~NetrpcEndpoint() {
    if (registration_ != nullptr) journal_->remove(registration_);
  }

private:
  struct Functions {
    Host host;
    Handler handler;
    Cancel cancel;

    static void call(void* context, sy_netrpc_call* raw, sy_bytes body) noexcept {
      const auto& self = *static_cast<Functions*>(context);
      NetrpcCall call{raw};
      logged_at_boundary(self.host, [&] { self.handler(std::move(call), view(body)); });
    }

    static void told(void* context, sy_netrpc_call* call) noexcept {
      const auto& self = *static_cast<Functions*>(context);
      logged_at_boundary(self.host, [&] { self.cancel(call); });
    }
  };

  const sy_journal* journal_;
  std::unique_ptr<Functions> functions_;
  sy_registration* registration_ = nullptr;
};

} // namespace switchyard

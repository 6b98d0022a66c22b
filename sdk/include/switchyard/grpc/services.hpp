#pragma once

#include <switchyard/grpc/call.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace switchyard {

/// The methods of a service, each a function or a coroutine. Several calls run at a time, on any
/// thread. What a handler throws fails its call as internal and is logged.
class GrpcMethods {
public:
  /// `handler` is one of
  ///
  ///     GrpcResult<Reply>       (GrpcCall& call, const Request& request)   // answers at once
  ///     Task<GrpcResult<Reply>> (GrpcCall& call, Request request)          // answers at its end
  ///     void                    (GrpcAnswer<Reply> answer, Request request) // answers when it
  ///     likes
  template <GrpcMessage Request, GrpcMessage Reply, class Handler>
  GrpcMethods& unary(std::string name, Handler handler) {
    if constexpr (std::invocable<Handler&, GrpcAnswer<Reply>, Request>) {
      return add(
          SY_GRPC_UNARY, std::move(name), Later<Request, Reply, Handler>{std::move(handler)});
    } else if constexpr (std::same_as<Result<Handler, Request>, Task<GrpcResult<Reply>>>) {
      return add(SY_GRPC_UNARY, std::move(name), Coroutine<Request, Handler>{std::move(handler)});
    } else {
      return add(
          SY_GRPC_UNARY, std::move(name), AtOnce<Request, Reply, Handler>{std::move(handler)});
    }
  }

  /// `handler`: Task<GrpcStatus> (GrpcCall& call, Request request), which sends.
  template <GrpcMessage Request, class Handler>

  requires std::same_as<std::invoke_result_t<Handler&, GrpcCall&, Request>, Task<GrpcStatus>>
      GrpcMethods& server_streaming(std::string name, Handler handler) {
    return add(
        SY_GRPC_SERVER_STREAMING, std::move(name), Coroutine<Request, Handler>{std::move(handler)});
  }

  /// `handler`: Task<GrpcResult<Reply>> (GrpcCall& call), which receives.
  template <GrpcMessage Reply, class Handler>

  requires std::same_as<std::invoke_result_t<Handler&, GrpcCall&>, Task<GrpcResult<Reply>>>
      GrpcMethods& client_streaming(std::string name, Handler handler) {
    return add(SY_GRPC_CLIENT_STREAMING, std::move(name), Stream<Handler>{std::move(handler)});
  }

  /// `handler`: Task<GrpcStatus> (GrpcCall& call), which sends and receives.
  template <class Handler>

  requires std::same_as<std::invoke_result_t<Handler&, GrpcCall&>, Task<GrpcStatus>> GrpcMethods&
  bidirectional(std::string name, Handler handler) {
    return add(SY_GRPC_BIDIRECTIONAL, std::move(name), Stream<Handler>{std::move(handler)});
  }

private:
  friend class GrpcService;

  using Run = std::function<void(const Host& host, sy_grpc_call* call, sy_bytes message)>;

  struct Method {
    std::string name;
    Run run;
    sy_grpc_method entry;
    const Host* host = nullptr;
  };

  template <class Handler, class Request>
  using Result = typename std::invoke_result<Handler&, GrpcCall&, Request>::type;

  GrpcMethods& add(sy_grpc_kind kind, std::string name, Run run) {
    auto& method = *methods_.emplace_back(std::make_unique<Method>());
    method.name = std::move(name);
    method.run = std::move(run);
    method.entry = {
        sizeof method.entry,
        kind,
        to_c(method.name),
        &method,
        [](void* context, sy_grpc_call* call, sy_bytes message) {
          const auto& self = *static_cast<const Method*>(context);
          self.run(*self.host, call, message);
        }};
    return *this;
  }

  template <class Request, class Reply, class Handler>
  struct AtOnce {
    Handler handler;

    void operator()(const Host& host, sy_grpc_call* raw, sy_bytes message) {
      GrpcCall call{raw};
      GrpcResult<Reply> result{GrpcStatus{SY_GRPC_INTERNAL, GrpcCall::kFailed, {}}};
      logged_at_boundary(host, [&] {
        Request request;
        if (detail::decode(message, request)) {
          result = handler(call, std::as_const(request));
        } else {
          result = GrpcStatus{SY_GRPC_INTERNAL, GrpcCall::kNotDecoded, {}};
        }
      });
      call.finish(result);
    }
  };

  template <class Request, class Reply, class Handler>
  struct Later {
    Handler handler;

    void operator()(const Host& host, sy_grpc_call* raw, sy_bytes message) {
      GrpcAnswer<Reply> answer{raw};
      logged_at_boundary(host, [&] {
        Request request;
        if (detail::decode(message, request)) {
          handler(std::move(answer), std::move(request));
        } else {
          std::move(answer).fail({SY_GRPC_INTERNAL, GrpcCall::kNotDecoded, {}});
        }
      });
    }
  };

  template <class Request, class Handler>
  struct Coroutine {
    Handler handler;

    void operator()(const Host& host, sy_grpc_call* raw, sy_bytes message) {
      GrpcCoroutine::begin(host, raw, [&](GrpcCoroutine& running) {
        Request request;
        if (!detail::decode(message, request)) return refuse(running);
        return run(handler, running, std::move(request));
      });
    }

    static Task<> run(Handler& handler, GrpcCoroutine& running, Request request) {
      running.set_outcome(co_await handler(running.call(), std::move(request)));
    }

    static Task<> refuse(GrpcCoroutine& running) {
      running.set_undecoded();
      co_return;
    }
  };

  template <class Handler>
  struct Stream {
    Handler handler;

    void operator()(const Host& host, sy_grpc_call* raw, sy_bytes) {
      GrpcCoroutine::begin(
          host, raw, [&](GrpcCoroutine& running) { return run(handler, running); });
    }

    static Task<> run(Handler& handler, GrpcCoroutine& running) {
      running.set_outcome(co_await handler(running.call()));
    }
  };

  std::vector<std::unique_ptr<Method>> methods_;
};

/// A gRPC service that this plugin answers, as long as this object lives. Made and destroyed on
/// control; the manifest requires switchyard.grpc.services/1.
class GrpcService {
public:
  /// Told that the client has gone, the deadline has passed or the server drains: answer soon. Any
  /// thread; the call may be answered by another one at the same time.
  using Cancel = std::function<void(sy_grpc_call* call)>;

  /// `name` is "package.Service"; `flags` SY_GRPC_ON_…; `descriptor_set`, a serialized
  /// FileDescriptorSet for reflection or nothing, stays valid as long as this object. Throws
  /// Failure when the provider does not take it.
  GrpcService(
      const Host& host,
      std::string_view name,
      std::uint32_t flags,
      GrpcMethods methods,
      std::span<const std::byte> descriptor_set = {},
      Cancel cancel = {})
      : journal_{&host.require<sy_journal>()},
        functions_{new Functions{host, std::move(methods), {}, std::move(cancel)}} {
    for (auto& method : functions_->methods.methods_) {
      method->host = &functions_->host;
      functions_->entries.push_back(&method->entry);
    }
    sy_grpc_service entry{};
    entry.struct_size = sizeof entry;
    entry.flags = flags;
    entry.context = functions_.get();
    entry.methods = functions_->entries.data();
    entry.method_count = functions_->entries.size();
    entry.descriptor_set = to_c(descriptor_set);
    entry.cancel = &Functions::told;
    entry.ended = &Functions::ended;
    auto error = make_error();
    throw_unless_ok(
        journal_->add(
            host.get(), SY_GRPC_SERVICES, to_c(name), &entry, sizeof entry, &registration_, &error),
        error);
  }

  GrpcService(GrpcService&& other) noexcept
      : journal_{other.journal_},
        functions_{std::move(other.functions_)},
        registration_{std::exchange(other.registration_, nullptr)} {}

  GrpcService& operator=(GrpcService&&) = delete;

  /// Returns when no call is running any more.
  ~GrpcService() {
    if (registration_ != nullptr) journal_->remove(registration_);
  }

private:
  struct Functions {
    Host host;
    GrpcMethods methods;
    std::vector<const sy_grpc_method*> entries;
    Cancel cancel;

    static void told(void* context, sy_grpc_call* call) noexcept {
      const auto& self = *static_cast<const Functions*>(context);
      GrpcCoroutine::cancelled(call);
      if (self.cancel) logged_at_boundary(self.host, [&] { self.cancel(call); });
    }

    static void ended(void*, sy_grpc_call* call) noexcept { GrpcCoroutine::ended(call); }
  };

  const sy_journal* journal_;
  std::unique_ptr<Functions> functions_;
  sy_registration* registration_ = nullptr;
};

} // namespace switchyard

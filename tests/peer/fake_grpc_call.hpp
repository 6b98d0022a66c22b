#pragma once

#include <switchyard/grpc/services.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace switchyard::peer {

/// The provider's side of one call of a service: the test says when each operation completes. One
/// thread. The service hears of its end when this is destroyed.
class FakeGrpcCall : public sy_grpc_call {
public:
  /// `method` must be one of `service`.
  FakeGrpcCall(const sy_grpc_service& service, std::string_view method, bool external = false)
      : sy_grpc_call{&kApi, nullptr}, service_{service}, external_{external} {
    for (std::size_t at = 0; at < service.method_count; ++at) {
      const auto& name = service.methods[at]->name;
      if (std::string_view{name.data, name.size} == method) method_ = service.methods[at];
    }
  }

  ~FakeGrpcCall() {
    if (service_.ended != nullptr) service_.ended(service_.context, this);
  }

  FakeGrpcCall(const FakeGrpcCall&) = delete;
  FakeGrpcCall& operator=(const FakeGrpcCall&) = delete;

  void begin(std::string_view message = {}) {
    method_->call(
        method_->context != nullptr ? method_->context : service_.context,
        this,
        {message.data(), message.size()});
  }

  [[nodiscard]] bool receives() const noexcept { return receiving_.first != nullptr; }

  /// Completes the receive in flight.
  void deliver(sy_status status, std::string_view message = {}) {
    const auto [done, context] = std::exchange(receiving_, {});
    done(context, status, {message.data(), message.size()});
  }

  [[nodiscard]] bool sends() const noexcept { return sending_.first != nullptr; }

  /// Completes the send in flight.
  void sent(sy_status status = SY_OK) {
    const auto [done, context] = std::exchange(sending_, {});
    done(context, status);
  }

  void cancel() { service_.cancel(service_.context, this); }

  /// What operations say from now on.
  void refuse(sy_status status) noexcept { refuses_ = status; }

  std::vector<std::string> messages;                          ///< that the service has sent
  std::vector<std::pair<sy_grpc_code, std::string>> finished; ///< code and message of each finish
  std::string text;                                           ///< of the status

private:
  static FakeGrpcCall& of(sy_grpc_call* call) { return *static_cast<FakeGrpcCall*>(call); }

  static const sy_grpc_call_api kApi;

  const sy_grpc_service service_;
  const bool external_;
  const sy_grpc_method* method_ = nullptr;
  sy_status refuses_ = SY_OK;
  std::pair<sy_grpc_received, void*> receiving_{};
  std::pair<sy_grpc_sent, void*> sending_{};
};

inline const sy_grpc_call_api FakeGrpcCall::kApi{
    sizeof(sy_grpc_call_api),
    0,
    [](sy_grpc_call* call, sy_grpc_call_info* info) {
      info->external = of(call).external_ ? 1 : 0;
      info->deadline = UINT64_MAX;
    },
    [](sy_grpc_call* call, sy_grpc_metadata) { return of(call).refuses_; },
    [](sy_grpc_call* call, sy_bytes message, sy_grpc_sent sent, void* context) {
      auto& self = of(call);
      if (self.refuses_ != SY_OK) return self.refuses_;
      self.messages.emplace_back(static_cast<const char*>(message.data), message.size);
      self.sending_ = {sent, context};
      return SY_OK;
    },
    [](sy_grpc_call* call, sy_grpc_received received, void* context) {
      auto& self = of(call);
      if (self.refuses_ != SY_OK) return self.refuses_;
      self.receiving_ = {received, context};
      return SY_OK;
    },
    [](sy_grpc_call* call, const sy_grpc_status* status, sy_bytes message, sy_grpc_metadata) {
      auto& self = of(call);
      self.finished.emplace_back(
          status->code, std::string{static_cast<const char*>(message.data), message.size});
      self.text.assign(status->message.data, status->message.size);
    }};

} // namespace switchyard::peer

#pragma once

#include <plugins/grpc/call_environment.hpp>
#include <plugins/grpc/live_calls.hpp>
#include <plugins/grpc/metrics.hpp>
#include <plugins/grpc/peers.hpp>
#include <plugins/grpc/service_table.hpp>

#include <grpcpp/generic/async_generic_service.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace switchyard::grpc {

/// One call between gRPC and the service that answers it. Deletes itself when both have done with
/// it. Any thread: what may come at the same time meets in one atomic word.
class Call final : public ::grpc::ServerGenericBidiReactor, public LiveCall, public sy_grpc_call {
public:
  /// Begins the call with its service, or once its one request has come.
  Call(
      const CallEnvironment& environment,
      ::grpc::GenericCallbackServerContext& context,
      bool external,
      MethodUse method);

  [[nodiscard]] bool begin_to_ask() noexcept override;
  void ask() noexcept override;

  [[nodiscard]] bool is_unary() const noexcept override { return method_.kind() == SY_GRPC_UNARY; }

  [[nodiscard]] const sy_registration* registration() const noexcept override {
    return method_.registration();
  }

private:
  /// What is true of the call at a moment. While one of kHoldsEnd is, the end waits: gRPC frees
  /// what it keeps of a call as soon as that has ended.
  enum Fact : std::uint32_t {
    kBegun = 1,       ///< the service knows of it
    kCalling = 2,     ///< the method's function runs
    kSending = 4,     ///< a send is in flight, or metadata is being sent
    kSentHeaders = 8, ///< metadata, or with the first message
    kReceiving = 16,  ///< a receive is in flight
    kAskWanted = 32,  ///< the service is to be told once the function has returned
    kAsking = 64,     ///< the service is being told
    kAsked = 128,     ///< the service was told
    kCancelled = 256, ///< gRPC has given the call up
    kFinished = 512,  ///< finish() was called
    kOver = kFinished | kCancelled,
    kReceives = 1U << 16, ///< one for each thread that is inside of receive()
    kHoldsEnd = kCalling | kSending | kAsking | ~(kReceives - 1),
  };

  /// What describe() gives; put together when it is first asked for.
  struct Description {
    std::shared_ptr<const Peer> peer;
    std::uint64_t deadline;
    std::vector<sy_grpc_metadata_entry> metadata;
  };

  static const sy_grpc_call_api kApi;

  static Call& from(sy_grpc_call* call) noexcept { return *static_cast<Call*>(call); }

  // What the service does.
  void describe(sy_grpc_call_info& info);
  sy_status send_metadata(sy_grpc_metadata metadata);
  sy_status send(sy_bytes message, sy_grpc_sent sent, void* context);
  sy_status receive(sy_grpc_received received, void* context);
  void finish(const sy_grpc_status& status, sy_bytes message, sy_grpc_metadata trailers);

  // What gRPC says.
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  [[nodiscard]] bool sends_stream() const noexcept {
    return method_.kind() == SY_GRPC_SERVER_STREAMING || method_.kind() == SY_GRPC_BIDIRECTIONAL;
  }

  [[nodiscard]] bool receives_stream() const noexcept {
    return method_.kind() == SY_GRPC_CLIENT_STREAMING || method_.kind() == SY_GRPC_BIDIRECTIONAL;
  }

  void begin(sy_bytes message);
  void fail(::grpc::StatusCode code, const char* text);
  [[nodiscard]] sy_status claim(Fact once, std::uint32_t held) noexcept;
  void release(std::uint32_t held);
  void end();
  [[nodiscard]] Description description() const;

  const CallEnvironment& environment_;
  ::grpc::GenericCallbackServerContext& context_;
  const bool external_;
  MethodUse method_;
  std::atomic<std::uint32_t> facts_{0};

  ::grpc::ByteBuffer request_;
  sy_grpc_received received_ = nullptr;
  void* received_context_ = nullptr;

  ::grpc::ByteBuffer response_;
  sy_grpc_sent sent_ = nullptr;
  void* sent_context_ = nullptr;

  ::grpc::Status status_; ///< from finish() on
  bool failed_ = false;   ///< that is another one than OK

  std::once_flag described_;
  Description description_;
};

} // namespace switchyard::grpc

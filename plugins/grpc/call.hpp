#pragma once

#include <plugins/grpc/call_environment.hpp>
#include <plugins/grpc/completion_queue.hpp>
#include <plugins/grpc/incoming.hpp>
#include <plugins/grpc/live_calls.hpp>
#include <plugins/grpc/message.hpp>
#include <plugins/grpc/metrics.hpp>
#include <plugins/grpc/peers.hpp>
#include <plugins/grpc/pending.hpp>
#include <plugins/grpc/service_table.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace switchyard::grpc {

/// One call between gRPC's core and the service that answers it. Deletes itself when both have done
/// with it. Any thread: what may come at the same time meets in one atomic word.
class Call final : public LiveCall, public sy_grpc_call {
public:
  /// Begins the call with its service, or once its one request has come. It deletes itself, perhaps
  /// before this returns; `pending` counts it.
  static void start(
      const CallEnvironment& environment,
      Pending& pending,
      Incoming incoming,
      bool external,
      MethodUse method);

  [[nodiscard]] bool begin_to_ask() noexcept override;
  void ask() noexcept override;

  [[nodiscard]] bool is_unary() const noexcept override { return method_.kind() == SY_GRPC_UNARY; }

  [[nodiscard]] const sy_registration* registration() const noexcept override {
    return method_.registration();
  }

private:
  /// What is true of the call at a moment. While one of kHoldsEnd is, the end waits: nothing may
  /// follow it.
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

  /// How the call ends; from finish() on.
  struct End {
    grpc_status_code code = GRPC_STATUS_OK;
    std::string message;
    std::vector<grpc_metadata> trailers; ///< owned: released when they have been sent
  };

  static const sy_grpc_call_api kApi;

  static Call& from(sy_grpc_call* call) noexcept { return *static_cast<Call*>(call); }

  Call(
      const CallEnvironment& environment,
      Pending& pending,
      Incoming incoming,
      bool external,
      MethodUse method);
  ~Call() = default;

  // What the service does.
  void describe(sy_grpc_call_info& info);
  sy_status send_metadata(sy_grpc_metadata metadata);
  sy_status send(sy_bytes message, sy_grpc_sent sent, void* context);
  sy_status receive(sy_grpc_received received, void* context);
  void finish(const sy_grpc_status& status, sy_bytes message, sy_grpc_metadata trailers);

  // What gRPC says.
  void has_read(bool ok);
  void has_read_all(bool ok);
  void has_written(bool ok);
  void has_closed(bool ok);

  void nothing(bool) noexcept {}

  /// Runs `Has` when an operation has completed, then lets go of the call.
  template <void (Call::*Has)(bool)>
  static void completed(void* self, bool ok);

  [[nodiscard]] bool sends_stream() const noexcept {
    return method_.kind() == SY_GRPC_SERVER_STREAMING || method_.kind() == SY_GRPC_BIDIRECTIONAL;
  }

  [[nodiscard]] bool receives_stream() const noexcept {
    return method_.kind() == SY_GRPC_CLIENT_STREAMING || method_.kind() == SY_GRPC_BIDIRECTIONAL;
  }

  void begin(sy_bytes message);
  void read();
  void run(std::span<const grpc_op> operations, Completion& completion);
  void fail(grpc_status_code code, const char* text);
  [[nodiscard]] sy_status claim(Fact once, std::uint32_t held) noexcept;
  void release(std::uint32_t held);
  void end();
  void let_go();
  [[nodiscard]] Description description() const;

  const CallEnvironment& environment_;
  Pending& pending_;
  const bool external_;
  const Incoming incoming_;
  MethodUse method_;
  std::atomic<std::uint32_t> facts_{0};
  /// Operations that have not completed, of which the end is one from the beginning, and the start.
  std::atomic<std::uint32_t> holds_{3};

  grpc_byte_buffer* request_ = nullptr; ///< what gRPC has received last
  sy_grpc_received received_ = nullptr;
  void* received_context_ = nullptr;

  Message response_;
  sy_grpc_sent sent_ = nullptr;
  void* sent_context_ = nullptr;

  End end_;
  int cancelled_ = 0; ///< as gRPC says it once the call is closed

  Completion reading_;
  Completion read_end_;
  Completion writing_;
  Completion sending_metadata_;
  Completion ending_;
  Completion closing_;

  std::once_flag described_;
  Description description_;
};

} // namespace switchyard::grpc

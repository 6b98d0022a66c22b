#pragma once

#include <switchyard/grpc/client.h>

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/client_callback.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace switchyard::grpc {

class ClientChannel;

/// One call to another server, between the plugin that makes it and gRPC. It waits for its channel
/// to be connected, and holds meanwhile what it is told; later it keeps one message in advance, so
/// that it sees the end. Deletes itself when everything has been said. Any thread.
class ClientCall final : public sy_grpc_stream,
                         private ::grpc::ClientBidiReactor<::grpc::ByteBuffer, ::grpc::ByteBuffer> {
public:
  /// Who is told. Either a stream's events, or the one answer of a unary call.
  struct Listener {
    const sy_grpc_events* events; ///< null: `answered`
    sy_grpc_answered answered;
    void* context;
  };

  /// Copies all of `request`; `due` is its deadline, as sy_loops.now.
  ClientCall(
      std::shared_ptr<ClientChannel> channel,
      const sy_grpc_request& request,
      const Listener& listener,
      std::chrono::nanoseconds due);

  ClientCall(const ClientCall&) = delete;
  ClientCall& operator=(const ClientCall&) = delete;

  [[nodiscard]] std::chrono::nanoseconds due() const noexcept { return due_; }

  /// True when its maker does not want it any more; meant for a call that waits.
  [[nodiscard]] bool cancelled();

  /// Begins on a connection, with `left` until its deadline.
  void start(const std::shared_ptr<::grpc::Channel>& connection, std::chrono::nanoseconds left);

  /// Ends a call that has not begun.
  void fail(::grpc::StatusCode code, const std::string& text);

  /// As sy_grpc_stream_api.cancel.
  void cancel();

  /// The same, but a call that waits stays until its channel looks after those: true for one. Does
  /// not call the channel.
  bool give_up();

private:
  ~ClientCall() override = default;

  static const sy_grpc_stream_api kApi;

  static ClientCall& from(sy_grpc_stream* stream) noexcept {
    return *static_cast<ClientCall*>(stream);
  }

  // What the maker does.
  sy_status send(sy_bytes message, sy_grpc_sent sent, void* context);
  sy_status finish_sending();
  sy_status receive(sy_grpc_received received, void* context);

  // What gRPC says.
  void OnReadInitialMetadataDone(bool ok) override;
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const ::grpc::Status& status) override;

  struct Receive {
    sy_grpc_received received;
    void* context;
  };

  [[nodiscard]] bool sends_stream() const noexcept {
    return kind_ == SY_GRPC_CLIENT_STREAMING || kind_ == SY_GRPC_BIDIRECTIONAL;
  }

  // With the mutex.
  void read_on();
  void post(sy_callback run);
  void settle();

  /// Unlocks meanwhile.
  template <class Tell>
  void tell(std::unique_lock<std::mutex>& lock, Tell what);
  void hand_out(std::unique_lock<std::mutex>& lock);

  // On the channel's loop.
  static void hand_out_later(void* self);
  static void tell_end(void* self);

  const std::shared_ptr<ClientChannel> channel_;
  const sy_grpc_kind kind_;
  const std::string method_;
  const Listener listener_;
  const std::chrono::nanoseconds due_;
  ::grpc::ClientContext context_;

  std::mutex mutex_; ///< of all that follows
  bool started_ = false;
  bool told_metadata_ = false;
  bool has_metadata_ = false;
  bool cancelled_ = false;
  bool over_ = false;   ///< no message comes, and none goes
  bool done_ = false;   ///< gRPC has said its last
  bool ending_ = false; ///< the maker is being told the end
  bool posted_ = false; ///< hand_out_later() comes
  int telling_ = 0;     ///< threads that are telling the maker something else

  bool reading_ = false;
  ::grpc::ByteBuffer reading_into_;
  std::optional<::grpc::ByteBuffer> message_; ///< that nobody has asked for yet
  std::optional<Receive> receive_;

  bool sending_ = false;
  bool no_more_sends_ = false;
  ::grpc::ByteBuffer sending_from_;
  sy_grpc_sent sent_ = nullptr;
  void* sent_context_ = nullptr;

  ::grpc::Status status_;
  std::string answer_; ///< of a unary call
};

} // namespace switchyard::grpc

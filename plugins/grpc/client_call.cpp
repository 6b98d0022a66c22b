#include <switchyard/bytes.hpp>

#include <plugins/grpc/client_call.hpp>
#include <plugins/grpc/client_channel.hpp>
#include <plugins/grpc/client_message.hpp>
#include <plugins/grpc/metadata.hpp>

#include <boost/assert.hpp>
#include <grpcpp/generic/generic_stub.h>

#include <map>
#include <utility>

namespace switchyard::grpc {
namespace {

/// What gRPC has received, as the ABI shows it: borrowed, without gRPC's own.
class Received {
public:
  Received() = default;

  explicit Received(const std::multimap<::grpc::string_ref, ::grpc::string_ref>& metadata) {
    for (const auto& [key, value] : metadata) {
      const std::string_view name{key.data(), key.size()};
      if (!is_reserved(name)) entries_.push_back({to_c(name), {value.data(), value.size()}});
    }
  }

  [[nodiscard]] sy_grpc_metadata get() const noexcept { return {entries_.data(), entries_.size()}; }

private:
  std::vector<sy_grpc_metadata_entry> entries_;
};

sy_bytes bytes_of(const std::string& text) noexcept {
  return {text.data(), text.size()};
}

} // namespace

const sy_grpc_stream_api ClientCall::kApi = {
    .struct_size = sizeof(sy_grpc_stream_api),
    .reserved = 0,
    .send =
        [](sy_grpc_stream* stream, sy_bytes message, sy_grpc_sent sent, void* context) {
          return at_boundary([&] { return from(stream).send(message, sent, context); });
        },
    .finish_sending = [](sy_grpc_stream* stream) { return from(stream).finish_sending(); },
    .receive =
        [](sy_grpc_stream* stream, sy_grpc_received received, void* context) {
          return at_boundary([&] { return from(stream).receive(received, context); });
        },
    .cancel = [](sy_grpc_stream* stream) { from(stream).cancel(); }};

ClientCall::ClientCall(
    std::shared_ptr<ClientChannel> channel,
    const sy_grpc_request& request,
    const Listener& listener,
    std::chrono::nanoseconds due)
    : sy_grpc_stream{&kApi},
      channel_{std::move(channel)},
      kind_{request.kind},
      method_{view(request.method)},
      listener_{listener},
      due_{due} {
  for (std::size_t at = 0; at < request.metadata.count; ++at) {
    const auto& [key, value] = request.metadata.entries[at];
    context_.AddMetadata(
        std::string{view(key)}, std::string{static_cast<const char*>(value.data), value.size});
  }
  if (sends_stream()) return;
  sending_from_ = buffer_of(request.message);
  sending_ = true;
  no_more_sends_ = true;
}

void ClientCall::start(
    const std::shared_ptr<::grpc::Channel>& connection, std::chrono::nanoseconds left) {
  const std::lock_guard lock{mutex_};
  if (due_ != std::chrono::nanoseconds::max()) {
    context_.set_deadline(
        std::chrono::system_clock::now() +
        std::chrono::duration_cast<std::chrono::system_clock::duration>(left));
  }
  started_ = true;
  ::grpc::GenericStub{connection}.PrepareBidiStreamingCall(&context_, method_, {}, this);
  AddHold(); // until there is nothing more to read
  if (sending_) {
    no_more_sends_ ? StartWriteLast(&sending_from_, {}) : StartWrite(&sending_from_);
  } else if (no_more_sends_) {
    StartWritesDone();
  }
  read_on();
  StartCall();
  if (cancelled_) context_.TryCancel();
}

void ClientCall::fail(::grpc::StatusCode code, const std::string& text) {
  const std::lock_guard lock{mutex_};
  BOOST_ASSERT(!started_);
  status_ = {code, text};
  over_ = true;
  done_ = true;
  settle();
}

bool ClientCall::cancelled() {
  const std::lock_guard lock{mutex_};
  return cancelled_;
}

void ClientCall::cancel() {
  const auto channel = channel_; // the call may be gone once it is cancelled
  if (give_up()) channel->look_after_waiting();
}

bool ClientCall::give_up() {
  const std::lock_guard lock{mutex_};
  if (std::exchange(cancelled_, true) || done_) return false;
  if (!started_) return true;
  context_.TryCancel();
  message_.reset();
  read_on(); // to see the end
  return false;
}

sy_status ClientCall::send(sy_bytes message, sy_grpc_sent sent, void* context) {
  if (!sends_stream()) return SY_UNSUPPORTED;
  if (message.size > channel_->max_send()) return SY_LIMIT;
  auto buffer = buffer_of(message);
  const std::lock_guard lock{mutex_};
  if (over_ || done_ || cancelled_) return SY_CANCELLED;
  if (no_more_sends_) return SY_INVALID;
  if (sending_) return SY_BUSY;
  sending_ = true;
  sending_from_.Swap(&buffer);
  sent_ = sent;
  sent_context_ = context;
  if (started_) StartWrite(&sending_from_);
  return SY_OK;
}

sy_status ClientCall::finish_sending() {
  if (!sends_stream()) return SY_UNSUPPORTED;
  const std::lock_guard lock{mutex_};
  if (over_ || done_ || cancelled_) return SY_CANCELLED;
  if (no_more_sends_) return SY_INVALID;
  if (sending_) return SY_BUSY;
  no_more_sends_ = true;
  if (started_) StartWritesDone();
  return SY_OK;
}

sy_status ClientCall::receive(sy_grpc_received received, void* context) {
  const std::lock_guard lock{mutex_};
  if (ending_ || cancelled_) return SY_CANCELLED;
  if (receive_) return SY_BUSY;
  receive_ = Receive{received, context};
  if (message_ && told_metadata_ && !posted_) {
    posted_ = true;
    post(&ClientCall::hand_out_later);
  }
  return SY_OK;
}

void ClientCall::read_on() {
  if (!started_ || reading_ || message_ || over_) return;
  reading_ = true;
  StartRead(&reading_into_);
}

template <class Tell>
void ClientCall::tell(std::unique_lock<std::mutex>& lock, Tell what) {
  ++telling_;
  lock.unlock();
  what();
  lock.lock();
  --telling_;
}

void ClientCall::hand_out(std::unique_lock<std::mutex>& lock) {
  if (message_ && receive_ && told_metadata_) {
    const auto [received, context] = *std::exchange(receive_, std::nullopt);
    const auto slice = in_one_piece(*message_);
    message_.reset();
    tell(lock, [&, to = received, with = context] { to(with, SY_OK, grpc::bytes_of(slice)); });
  }
  read_on();
}

void ClientCall::hand_out_later(void* self) {
  auto& call = *static_cast<ClientCall*>(self);
  std::unique_lock lock{call.mutex_};
  call.posted_ = false;
  call.hand_out(lock);
  call.settle();
}

void ClientCall::OnReadInitialMetadataDone(bool ok) {
  std::unique_lock lock{mutex_};
  has_metadata_ = ok;
  if (ok && listener_.events != nullptr && listener_.events->metadata != nullptr) {
    tell(lock, [this] {
      const Received metadata{context_.GetServerInitialMetadata()};
      listener_.events->metadata(listener_.context, this, metadata.get());
    });
  }
  told_metadata_ = true;
  hand_out(lock);
  settle();
}

void ClientCall::OnReadDone(bool ok) {
  std::unique_lock lock{mutex_};
  reading_ = false;
  if (!ok) {
    over_ = true;
    RemoveHold(); // the end comes on another thread, or when this function has returned
    return;
  }
  ::grpc::ByteBuffer message;
  message.Swap(&reading_into_);
  if (cancelled_) return read_on();
  if (listener_.events == nullptr) {
    const auto slice = in_one_piece(message);
    answer_.assign(reinterpret_cast<const char*>(slice.begin()), slice.size());
    return read_on();
  }
  message_ = std::move(message);
  hand_out(lock);
  settle();
}

void ClientCall::OnWriteDone(bool ok) {
  std::unique_lock lock{mutex_};
  sending_ = false;
  sending_from_.Clear();
  auto* const sent = std::exchange(sent_, nullptr);
  if (sent != nullptr) {
    tell(lock, [&, context = sent_context_] { sent(context, ok ? SY_OK : SY_CANCELLED); });
  }
  settle();
}

void ClientCall::OnDone(const ::grpc::Status& status) {
  const std::lock_guard lock{mutex_};
  status_ = status;
  // Its connection may break before gRPC has seen to the cancellation.
  if (cancelled_ && status.error_code() == ::grpc::StatusCode::UNAVAILABLE) {
    status_ = {::grpc::StatusCode::CANCELLED, "cancelled"};
  }
  over_ = true;
  done_ = true;
  settle();
}

/// Ends the call when nothing else is to be said. With the mutex, which the end waits for.
void ClientCall::settle() {
  if (!done_ || telling_ > 0 || posted_ || ending_) return;
  ending_ = true;
  post(&ClientCall::tell_end);
}

void ClientCall::post(sy_callback run) {
  channel_->post(run, this);
}

void ClientCall::tell_end(void* self) {
  auto* const call = static_cast<ClientCall*>(self);
  const auto channel = call->channel_;
  std::unique_lock lock{call->mutex_};
  const auto cancelled = call->cancelled_;
  const auto receive = std::exchange(call->receive_, std::nullopt);
  auto* const sent = std::exchange(call->sent_, nullptr);
  lock.unlock();

  if (call->status_.error_code() == ::grpc::StatusCode::UNAVAILABLE) channel->unavailable(*call);
  if (sent != nullptr) sent(call->sent_context_, SY_CANCELLED);
  if (receive) receive->received(receive->context, cancelled ? SY_CANCELLED : SY_CLOSED, {});
  const auto text = call->status_.error_message();
  const auto details = call->status_.error_details();
  const sy_grpc_status status{
      sizeof status,
      static_cast<sy_grpc_code>(call->status_.error_code()),
      to_c(text),
      bytes_of(details)};
  const auto trailers =
      call->started_ ? Received{call->context_.GetServerTrailingMetadata()} : Received{};
  const auto& to = call->listener_;
  if (to.events != nullptr) {
    to.events->ended(to.context, call, &status, trailers.get());
  } else {
    const auto metadata =
        call->has_metadata_ ? Received{call->context_.GetServerInitialMetadata()} : Received{};
    const auto answer = call->status_.ok() ? bytes_of(call->answer_) : sy_bytes{};
    to.answered(to.context, &status, answer, metadata.get(), trailers.get());
  }
  channel->left(*call);
  delete call;
}

} // namespace switchyard::grpc

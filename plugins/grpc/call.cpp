#include <switchyard/boundary.hpp>
#include <switchyard/bytes.hpp>

#include <plugins/grpc/call.hpp>
#include <plugins/grpc/message.hpp>
#include <plugins/grpc/metadata.hpp>
#include <plugins/grpc/service_threads.hpp>

#include <boost/assert.hpp>
#include <grpc/support/time.h>

#include <string>
#include <utility>

namespace switchyard::grpc {
namespace {

std::string_view view(::grpc::string_ref text) {
  return {text.data(), text.size()};
}

std::string text(sy_string from) {
  return std::string{switchyard::view(from)};
}

std::string text(sy_bytes from) {
  return {static_cast<const char*>(from.data), from.size};
}

::grpc::Status to_grpc(const sy_grpc_status& status) {
  if (status.code == SY_GRPC_OK) return ::grpc::Status::OK;
  const auto code = status.code > SY_GRPC_UNAUTHENTICATED ? SY_GRPC_UNKNOWN : status.code;
  return {static_cast<::grpc::StatusCode>(code), text(status.message), text(status.details)};
}

/// Calls `add` with every entry that may be sent. Another one is a mistake of the service.
template <class Add>
void copy_legal(const Host& host, std::string_view method, sy_grpc_metadata metadata, Add add) {
  for (std::size_t at = 0; at < metadata.count; ++at) {
    const auto& entry = metadata.entries[at];
    if (is_legal(entry)) {
      add(text(entry.key), text(entry.value));
    } else {
      host.log(
          SY_LOG_WARN, "metadata that gRPC cannot send was left out method=" + std::string{method});
    }
  }
}

} // namespace

const sy_grpc_call_api Call::kApi = {
    .struct_size = sizeof(sy_grpc_call_api),
    .reserved = 0,
    .describe =
        [](sy_grpc_call* call, sy_grpc_call_info* info) {
          auto& self = from(call);
          const ServiceThreads::Inside inside{self.environment_.threads};
          logged_at_boundary(self.environment_.host, [&] { self.describe(*info); });
        },
    .send_metadata =
        [](sy_grpc_call* call, sy_grpc_metadata metadata) {
          auto& self = from(call);
          const ServiceThreads::Inside inside{self.environment_.threads};
          return at_boundary([&] { return self.send_metadata(metadata); });
        },
    .send =
        [](sy_grpc_call* call, sy_bytes message, sy_grpc_sent sent, void* context) {
          auto& self = from(call);
          const ServiceThreads::Inside inside{self.environment_.threads};
          return at_boundary([&] { return self.send(message, sent, context); });
        },
    .receive =
        [](sy_grpc_call* call, sy_grpc_received received, void* context) {
          auto& self = from(call);
          const ServiceThreads::Inside inside{self.environment_.threads};
          return at_boundary([&] { return self.receive(received, context); });
        },
    .finish =
        [](sy_grpc_call* call,
           const sy_grpc_status* status,
           sy_bytes message,
           sy_grpc_metadata trailers) noexcept {
          auto& self = from(call);
          const ServiceThreads::Inside inside{self.environment_.threads};
          self.finish(*status, message, trailers);
        },
};

Call::Call(
    const CallEnvironment& environment,
    ::grpc::GenericCallbackServerContext& context,
    bool external,
    MethodUse method)
    : sy_grpc_call{&kApi, nullptr},
      environment_{environment},
      context_{context},
      external_{external},
      method_{std::move(method)} {
  environment_.metrics.call_began();
  if (receives_stream()) {
    begin({});
  } else {
    StartRead(&request_);
  }
}

void Call::begin(sy_bytes message) {
  if ((facts_.fetch_or(kBegun | kCalling) & kCancelled) != 0) facts_.fetch_or(kAskWanted);
  environment_.live.add(*this);
  method_.call(this, message);
  // Nobody deletes the call before gRPC's function that has brought us here has returned.
  release(kCalling);
  if ((facts_ & kAskWanted) != 0 && begin_to_ask()) ask();
}

bool Call::begin_to_ask() noexcept {
  auto facts = facts_.load();
  while (true) {
    if ((facts & kBegun) == 0 || (facts & (kFinished | kAsked)) != 0) return false;
    const auto now = (facts & kCalling) == 0;
    const auto next = now ? facts | kAsking | kAsked : facts | kAskWanted;
    if (facts_.compare_exchange_weak(facts, next)) return now;
  }
}

void Call::ask() noexcept {
  method_.cancel(this);
  release(kAsking);
}

/// Begins an operation of which only one may run, and holds the end of the call.
sy_status Call::claim(Fact once, std::uint32_t held) noexcept {
  auto facts = facts_.load();
  while (true) {
    if ((facts & kOver) != 0) return SY_CANCELLED;
    if ((facts & once) != 0) return SY_BUSY;
    if (facts_.compare_exchange_weak(facts, (facts | once) + held)) return SY_OK;
  }
}

/// Lets go of the end. The call may be gone afterwards.
void Call::release(std::uint32_t held) {
  const auto facts = facts_.fetch_sub(held) - held;
  if ((facts & kFinished) != 0 && (facts & kHoldsEnd) == 0) end();
}

void Call::describe(sy_grpc_call_info& info) {
  std::call_once(described_, [this] { description_ = description(); });
  const auto& peer = *description_.peer;
  info.external = external_ ? 1 : 0;
  info.tls = peer.tls ? 1 : 0;
  info.reserved = 0;
  info.deadline = description_.deadline;
  info.method = to_c(context_.method());
  info.authority = to_c(context_.host());
  info.remote = to_c(peer.remote);
  info.server_name = to_c(peer.server_name);
  info.peer_names = to_c(peer.peer_names);
  info.metadata = {description_.metadata.data(), description_.metadata.size()};
}

Call::Description Call::description() const {
  Description made{environment_.peers.find(context_.peer()), UINT64_MAX, {}};
  const auto deadline = context_.raw_deadline();
  if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) != 0) {
    const auto left = gpr_time_sub(deadline, gpr_now(deadline.clock_type));
    const auto nanoseconds = left.tv_sec * 1'000'000'000 + left.tv_nsec;
    made.deadline = environment_.loops.now(environment_.host.get()) +
                    static_cast<std::uint64_t>(std::max<std::int64_t>(nanoseconds, 0));
  }
  for (const auto& [key, value] : context_.client_metadata()) {
    if (!is_reserved(view(key))) {
      made.metadata.push_back({to_c(view(key)), {value.data(), value.size()}});
    }
  }
  return made;
}

sy_status Call::send_metadata(sy_grpc_metadata metadata) {
  if (const auto status = claim(kSending, 0); status != SY_OK) return status;
  if ((facts_.fetch_or(kSentHeaders) & kSentHeaders) != 0) {
    release(kSending);
    return SY_INVALID;
  }
  copy_legal(
      environment_.host,
      context_.method(),
      metadata,
      [this](const std::string& key, const std::string& value) {
        context_.AddInitialMetadata(key, value);
      });
  StartSendInitialMetadata();
  release(kSending);
  return SY_OK;
}

sy_status Call::send(sy_bytes message, sy_grpc_sent sent, void* context) {
  if (!sends_stream()) return SY_UNSUPPORTED;
  auto buffer = buffer_of(message);
  if (const auto status = claim(kSending, 0); status != SY_OK) return status;
  facts_.fetch_or(kSentHeaders);
  response_.Swap(&buffer);
  sent_ = sent;
  sent_context_ = context;
  StartWrite(&response_);
  return SY_OK;
}

void Call::OnWriteDone(bool ok) {
  auto* const sent = sent_;
  auto* const context = sent_context_;
  response_.Clear();
  release(kSending);
  if (sent != nullptr) sent(context, ok ? SY_OK : SY_CANCELLED);
}

sy_status Call::receive(sy_grpc_received received, void* context) {
  if (!receives_stream()) return SY_UNSUPPORTED;
  if (const auto status = claim(kReceiving, kReceives); status != SY_OK) return status;
  received_ = received;
  received_context_ = context;
  StartRead(&request_);
  release(kReceives);
  return SY_OK;
}

void Call::OnReadDone(bool ok) {
  ::grpc::ByteBuffer message;
  message.Swap(&request_);
  if (!receives_stream()) {
    if (ok) return begin(bytes_of(in_one_piece(message)));
    return context_.IsCancelled()
               ? fail(::grpc::StatusCode::CANCELLED, "")
               : fail(::grpc::StatusCode::UNIMPLEMENTED, "the call ends without a request");
  }

  auto* const received = received_;
  auto* const context = received_context_;
  const auto over = (facts_.fetch_and(~kReceiving) & kOver) != 0 || context_.IsCancelled();
  if (over || !ok) return received(context, over ? SY_CANCELLED : SY_CLOSED, {});
  const auto slice = in_one_piece(message);
  received(context, SY_OK, bytes_of(slice));
}

void Call::finish(const sy_grpc_status& status, sy_bytes message, sy_grpc_metadata trailers) {
  status_ = to_grpc(status);
  failed_ = !status_.ok();
  if (!sends_stream() && !failed_) response_ = buffer_of(message);
  copy_legal(
      environment_.host,
      context_.method(),
      trailers,
      [this](const std::string& key, const std::string& value) {
        context_.AddTrailingMetadata(key, value);
      });
  const auto facts = facts_.fetch_or(kFinished);
  BOOST_ASSERT((facts & kFinished) == 0);
  if ((facts & kHoldsEnd) == 0) end();
}

/// Ends a call that the service has not heard of.
void Call::fail(::grpc::StatusCode code, const char* reason) {
  status_ = {code, reason};
  failed_ = true;
  facts_.fetch_or(kFinished);
  end();
}

void Call::end() {
  if (!sends_stream() && !failed_) {
    StartWriteAndFinish(&response_, {}, std::move(status_));
  } else {
    Finish(std::move(status_));
  }
}

void Call::OnCancel() {
  facts_.fetch_or(kCancelled);
  if (begin_to_ask()) ask();
}

void Call::OnDone() {
  if ((facts_ & kBegun) != 0) {
    method_.ended(this);
    environment_.live.remove(*this);
  }
  environment_.metrics.call_ended(failed_);
  delete this;
}

} // namespace switchyard::grpc

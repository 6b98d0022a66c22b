#include <switchyard/boundary.hpp>
#include <switchyard/bytes.hpp>

#include <plugins/grpc/call.hpp>
#include <plugins/grpc/metadata.hpp>
#include <plugins/grpc/service_threads.hpp>

#include <boost/assert.hpp>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace switchyard::grpc {
namespace {

/// gRPC's names of what it sends of a status besides code and message.
constexpr std::string_view kStatusDetails = "grpc-status-details-bin";

grpc_slice slice_of(std::string_view text) {
  return grpc_slice_from_copied_buffer(text.data(), text.size());
}

std::string_view text(sy_bytes from) {
  return {static_cast<const char*>(from.data), from.size};
}

grpc_metadata entry_of(std::string_view key, std::string_view value) {
  grpc_metadata entry{};
  entry.key = slice_of(key);
  entry.value = slice_of(value);
  return entry;
}

void release_all(std::vector<grpc_metadata>& entries) noexcept {
  for (const auto& entry : entries) {
    grpc_slice_unref(entry.key);
    grpc_slice_unref(entry.value);
  }
  entries.clear();
}

/// Adds every entry that may be sent. Another one is a mistake of the service.
void add_legal(
    std::vector<grpc_metadata>& entries,
    const Host& host,
    std::string_view method,
    sy_grpc_metadata metadata) {
  entries.reserve(entries.size() + metadata.count);
  for (std::size_t at = 0; at < metadata.count; ++at) {
    const auto& entry = metadata.entries[at];
    if (is_legal(entry)) {
      entries.push_back(entry_of(switchyard::view(entry.key), text(entry.value)));
    } else {
      host.log(
          SY_LOG_WARN, "metadata that gRPC cannot send was left out method=" + std::string{method});
    }
  }
}

grpc_op operation(grpc_op_type type) noexcept {
  grpc_op made{};
  made.op = type;
  return made;
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

template <void (Call::*Has)(bool)>
void Call::completed(void* self, bool ok) {
  auto& call = *static_cast<Call*>(self);
  (call.*Has)(ok);
  call.let_go();
}

Call::Call(
    const CallEnvironment& environment,
    Pending& pending,
    Incoming incoming,
    bool external,
    MethodUse method)
    : sy_grpc_call{&kApi, nullptr},
      environment_{environment},
      pending_{pending},
      external_{external},
      incoming_{std::move(incoming)},
      method_{std::move(method)},
      reading_{&completed<&Call::has_read>, this},
      read_end_{&completed<&Call::has_read_all>, this},
      writing_{&completed<&Call::has_written>, this},
      sending_metadata_{&completed<&Call::nothing>, this},
      ending_{&completed<&Call::nothing>, this},
      closing_{&completed<&Call::has_closed>, this} {}

void Call::start(
    const CallEnvironment& environment,
    Pending& pending,
    Incoming incoming,
    bool external,
    MethodUse method) {
  auto* const call =
      new Call{environment, pending, std::move(incoming), external, std::move(method)};
  pending.begin();
  environment.metrics.call_began();
  auto close = operation(GRPC_OP_RECV_CLOSE_ON_SERVER);
  close.data.recv_close_on_server.cancelled = &call->cancelled_;
  call->run({&close, 1}, call->closing_);
  call->receives_stream() ? call->begin({}) : call->read();
  call->let_go();
}

/// Begins operations, of which each type is in flight once at most.
void Call::run(std::span<const grpc_op> operations, Completion& completion) {
  const auto error = grpc_call_start_batch(
      incoming_.call(), operations.data(), operations.size(), completion.tag(), nullptr);
  BOOST_VERIFY(error == GRPC_CALL_OK);
}

void Call::read() {
  auto receive = operation(GRPC_OP_RECV_MESSAGE);
  receive.data.recv_message.recv_message = &request_;
  ++holds_;
  run({&receive, 1}, reading_);
}

/// The last deletes the call: an operation has completed and its function has returned.
void Call::let_go() {
  if (--holds_ > 0) return;
  if ((facts_ & kBegun) != 0) {
    method_.ended(this);
    environment_.live.remove(*this);
  }
  environment_.metrics.call_ended(end_.code != GRPC_STATUS_OK);
  auto& pending = pending_;
  delete this;
  pending.end();
}

void Call::begin(sy_bytes message) {
  if ((facts_.fetch_or(kBegun | kCalling) & kCancelled) != 0) facts_.fetch_or(kAskWanted);
  environment_.live.add(*this);
  method_.call(this, message);
  // Nobody deletes the call before the function that has brought us here lets go of it.
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

/// Lets go of the end. The call may be gone afterwards, unless it is held.
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
  info.method = to_c(incoming_.method());
  info.authority = to_c(incoming_.authority());
  info.remote = to_c(peer.remote);
  info.server_name = to_c(peer.server_name);
  info.peer_names = to_c(peer.peer_names);
  info.metadata = {description_.metadata.data(), description_.metadata.size()};
}

Call::Description Call::description() const {
  auto* const uri = grpc_call_get_peer(incoming_.call());
  Description made{environment_.peers.find(uri), UINT64_MAX, {}};
  gpr_free(uri);
  const auto deadline = incoming_.deadline();
  if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) != 0) {
    const auto left = gpr_time_sub(deadline, gpr_now(deadline.clock_type));
    const auto nanoseconds = left.tv_sec * 1'000'000'000 + left.tv_nsec;
    made.deadline = environment_.loops.now(environment_.host.get()) +
                    static_cast<std::uint64_t>(std::max<std::int64_t>(nanoseconds, 0));
  }
  for (const auto& entry : incoming_.metadata()) {
    const auto key = grpc::view(entry.key);
    if (is_reserved(key)) continue;
    const auto value = grpc::view(entry.value);
    made.metadata.push_back({to_c(key), {value.data(), value.size()}});
  }
  return made;
}

sy_status Call::send_metadata(sy_grpc_metadata metadata) {
  if (const auto status = claim(kSending, 0); status != SY_OK) return status;
  if ((facts_.fetch_or(kSentHeaders) & kSentHeaders) != 0) {
    release(kSending);
    return SY_INVALID;
  }
  std::vector<grpc_metadata> entries;
  add_legal(entries, environment_.host, incoming_.method(), metadata);
  auto headers = operation(GRPC_OP_SEND_INITIAL_METADATA);
  headers.data.send_initial_metadata.count = entries.size();
  headers.data.send_initial_metadata.metadata = entries.data();
  ++holds_;
  run({&headers, 1}, sending_metadata_);
  release_all(entries);
  release(kSending);
  return SY_OK;
}

sy_status Call::send(sy_bytes message, sy_grpc_sent sent, void* context) {
  if (!sends_stream()) return SY_UNSUPPORTED;
  auto copied = message_of(message);
  if (const auto status = claim(kSending, 0); status != SY_OK) return status;
  const auto first = (facts_.fetch_or(kSentHeaders) & kSentHeaders) == 0;
  response_ = std::move(copied);
  sent_ = sent;
  sent_context_ = context;
  std::array operations{operation(GRPC_OP_SEND_INITIAL_METADATA), operation(GRPC_OP_SEND_MESSAGE)};
  operations[1].data.send_message.send_message = response_.get();
  ++holds_;
  run(std::span{operations}.subspan(first ? 0 : 1), writing_);
  return SY_OK;
}

void Call::has_written(bool ok) {
  auto* const sent = sent_;
  auto* const context = sent_context_;
  response_.reset();
  release(kSending);
  if (sent != nullptr) sent(context, ok ? SY_OK : SY_CANCELLED);
}

sy_status Call::receive(sy_grpc_received received, void* context) {
  if (!receives_stream()) return SY_UNSUPPORTED;
  if (const auto status = claim(kReceiving, kReceives); status != SY_OK) return status;
  received_ = received;
  received_context_ = context;
  read();
  release(kReceives);
  return SY_OK;
}

void Call::has_read(bool) {
  const Message message{std::exchange(request_, nullptr)};
  if (!message) { // none follows, or the call is cancelled: the queue may have that already
    ++holds_;
    return run({}, read_end_);
  }
  if (!receives_stream()) return begin(Contents{message}.bytes());
  auto* const received = received_;
  auto* const context = received_context_;
  const auto over = (facts_.fetch_and(~kReceiving) & kOver) != 0;
  if (over) return received(context, SY_CANCELLED, {});
  received(context, SY_OK, Contents{message}.bytes());
}

void Call::has_read_all(bool) {
  if (receives_stream()) {
    auto* const received = received_;
    auto* const context = received_context_;
    const auto over = (facts_.fetch_and(~kReceiving) & kOver) != 0;
    received(context, over ? SY_CANCELLED : SY_CLOSED, {});
  } else if ((facts_ & kCancelled) != 0) {
    fail(GRPC_STATUS_CANCELLED, "");
  } else {
    fail(GRPC_STATUS_UNIMPLEMENTED, "the call ends without a request");
  }
}

void Call::finish(const sy_grpc_status& status, sy_bytes message, sy_grpc_metadata trailers) {
  if (status.code != SY_GRPC_OK) {
    const auto known = status.code <= SY_GRPC_UNAUTHENTICATED;
    end_.code = known ? static_cast<grpc_status_code>(status.code) : GRPC_STATUS_UNKNOWN;
    end_.message = switchyard::view(status.message);
  } else if (!sends_stream()) {
    response_ = message_of(message);
  }
  add_legal(end_.trailers, environment_.host, incoming_.method(), trailers);
  if (status.code != SY_GRPC_OK && status.details.size != 0) {
    end_.trailers.push_back(entry_of(kStatusDetails, text(status.details)));
  }
  const auto facts = facts_.fetch_or(kFinished);
  BOOST_ASSERT((facts & kFinished) == 0);
  if ((facts & kHoldsEnd) == 0) end();
}

/// Ends a call that the service has not heard of.
void Call::fail(grpc_status_code code, const char* reason) {
  end_.code = code;
  end_.message = reason;
  // Of a call that is cancelled nothing is sent, and a client may cancel as fast as it can.
  if ((facts_.fetch_or(kFinished) & kCancelled) != 0) return let_go();
  end();
}

void Call::end() {
  std::array<grpc_op, 3> operations; // NOLINT: filled below as far as it is used
  std::size_t count = 0;
  if ((facts_ & kSentHeaders) == 0) {
    operations[count++] = operation(GRPC_OP_SEND_INITIAL_METADATA);
  }
  if (response_) {
    auto& send = operations[count++] = operation(GRPC_OP_SEND_MESSAGE);
    send.data.send_message.send_message = response_.get();
  }
  const auto details = slice_of(end_.message);
  auto trailers = std::move(end_.trailers); // the call may be gone once the last has begun
  auto text = details;
  auto& last = operations[count++] = operation(GRPC_OP_SEND_STATUS_FROM_SERVER);
  last.data.send_status_from_server = {
      .trailing_metadata_count = trailers.size(),
      .trailing_metadata = trailers.data(),
      .status = end_.code,
      .status_details = end_.message.empty() ? nullptr : &text};
  run(std::span{operations}.first(count), ending_);
  release_all(trailers);
  grpc_slice_unref(details);
}

void Call::has_closed(bool ok) {
  if (ok && cancelled_ == 0) return;
  facts_.fetch_or(kCancelled);
  if (begin_to_ask()) ask();
}

} // namespace switchyard::grpc

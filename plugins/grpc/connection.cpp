#include <switchyard/bytes.hpp>

#include <plugins/grpc/connection.hpp>
#include <plugins/grpc/loop.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace switchyard::grpc {
namespace {

// Reads of one direction in one turn, so that a client with much to say leaves others their share.
constexpr int kReadsMax = 4;

// A client that was told to leave and has no call open gets this long to close by itself: a call
// that it had sent before it heard of it is here by then.
constexpr std::chrono::seconds kLeavingTime{2};

// After the last byte for a client, until it has closed; so that what it reads is not destroyed.
constexpr std::chrono::seconds kGoodbyeTime{2};

} // namespace

Connection::Connection(
    Loop& loop, sy_connection* wire, sy_connection* inner, Peer peer, const http2::Limits& limits)
    : loop_{loop},
      peer_{peer},
      walker_{limits},
      inward_{*this, http2::Side::Client, wire, inner},
      outward_{*this, http2::Side::Server, inner, wire} {
  loop_.add(*this);
}

Connection::~Connection() {
  stop_timer(opening_timer_);
  stop_timer(stall_timer_);
  stop_timer(end_timer_);
  const auto why = reason();
  close_inner(why);
  auto* const wire = outward_.to;
  wire->api->close(wire, why);
  loop_.peers.forget(peer_.descriptor, peer_.added);
  loop_.remove(*this);
}

void Connection::start() {
  start_timer(opening_timer_, &Connection::silent, loop_.config.handshake_timeout);
  read(inward_);
  end_turn();
}

void Connection::drain() {
  draining_ = true;
  leave_wanted_ = true;
  end_turn();
}

void Connection::abort() {
  draining_ = true;
  end();
  end_turn();
}

void Connection::end() noexcept {
  end_ = true;
}

void Connection::end_turn() {
  if (!end_ && leave_wanted_) say_leave();
  if (!end_ && finish_) say_goodbye();
  if (!end_) watch_leaving();
  if (!end_) wait_to_read(inward_);
  if (!end_) wait_to_read(outward_);
  if (end_) delete this;
}

// Why it ends, as far as the frames tell.
sy_close_reason Connection::reason() const noexcept {
  if (finish_) return *finish_;
  if (draining_) return SY_CLOSE_DRAINED;
  if (const auto code = walker_.gone_away(http2::Side::Server)) {
    if (*code == http2::ErrorCode::EnhanceYourCalm) return SY_CLOSE_LIMIT;
    if (*code != http2::ErrorCode::NoError) return SY_CLOSE_PROTOCOL_ERROR;
  } else if (server_left_first_) {
    return SY_CLOSE_TIMED_OUT; // gRPC closes without a word when a handshake or a ping has no end
  }
  return walker_.open_streams() == 0 ? SY_CLOSE_FINISHED : SY_CLOSE_PEER_GONE;
}

// ---- bytes

bool Connection::may_read(const Flow& flow) const noexcept {
  if (end_ || flow.ended) return false;
  if (!finish_) return flow.writing.empty() && (&flow == &outward_ || !inner_deaf_);
  // What a client still sends is read, so that it is not told of a reset before it has read our
  // last word; but not for one that sends floods.
  return &flow == &inward_ && *finish_ != SY_CLOSE_LIMIT;
}

void Connection::wait_to_read(Flow& flow) {
  if (flow.waiting || !may_read(flow)) return;
  const auto status = flow.from->api->wait_readable(flow.from, &Connection::readable, &flow);
  if (status != SY_OK) return lose(flow, flow.from, status);
  flow.waiting = true;
}

void Connection::readable(void* context, sy_status status, std::size_t) {
  auto& flow = *static_cast<Flow*>(context);
  auto& connection = flow.connection;
  flow.waiting = false;
  if (status == SY_OK) {
    connection.read(flow);
  } else {
    connection.lose(flow, flow.from, status);
  }
  connection.end_turn();
}

void Connection::read(Flow& flow) {
  const auto scratch = loop_.scratch();
  for (int reads = 0; reads < kReadsMax && may_read(flow); ++reads) {
    std::copy_n(flow.held.begin(), flow.held_size, scratch.begin());
    const auto room = scratch.subspan(flow.held_size);
    std::size_t count = 0;
    const auto status = flow.from->api->try_read(flow.from, room.data(), room.size(), &count);
    if (status == SY_AGAIN) return;
    if (status != SY_OK) return lose(flow, flow.from, status);
    if (count == 0) return end_flow(flow);
    if (!finish_) walk(flow, scratch.first(flow.held_size + count));
    if (count < room.size()) return;
  }
}

void Connection::walk(Flow& flow, std::span<const std::byte> bytes) {
  const auto passage = flow.sender == http2::Side::Client ? walker_.from_client(bytes, loop_.now())
                                                          : walker_.from_server(bytes, loop_.now());
  const auto passed = bytes.first(passage.pass);
  const auto held = bytes.subspan(passage.pass);
  if (!passage.error) {
    std::ranges::copy(held, flow.held.begin());
    flow.held_size = static_cast<std::uint8_t>(held.size());
  }
  if (opening_timer_ != nullptr && walker_.begun()) stop_timer(opening_timer_);
  if (passage.error && flow.sender == http2::Side::Client) return cut(*passage.error);
  if (passage.insert_at && leave_wanted_ && !walker_.gone_away(http2::Side::Server)) {
    leave_wanted_ = false;
    const auto leave = http2::encode_goaway(http2::kLastStream, http2::ErrorCode::NoError);
    const sy_bytes slices[] = {
        to_c(passed.first(*passage.insert_at)),
        to_c(std::span{leave}),
        to_c(passed.subspan(*passage.insert_at))};
    put(flow, slices);
  } else if (!passed.empty()) {
    const auto slice = to_c(passed);
    put(flow, {&slice, 1});
  }
  if (passage.error && !end_) cut(*passage.error);
}

/// Passes `slices` on; nothing is being written on that side.
void Connection::put(Flow& flow, std::span<const sy_bytes> slices) {
  std::size_t sent = 0;
  auto status = flow.to->api->try_write(flow.to, slices.data(), slices.size(), &sent);
  if (status == SY_AGAIN) sent = 0;
  if (status != SY_OK && status != SY_AGAIN) return lose(flow, flow.to, status);
  for (const auto& slice : slices) {
    const auto bytes = view(slice);
    const auto rest = bytes.subspan(std::min(sent, bytes.size()));
    sent -= bytes.size() - rest.size();
    flow.writing.insert(flow.writing.end(), rest.begin(), rest.end());
  }
  if (flow.writing.empty()) return;

  const auto rest = to_c(std::span<const std::byte>{flow.writing});
  status = flow.to->api->write(flow.to, &rest, 1, &Connection::written, &flow);
  if (status != SY_OK) {
    flow.writing = {};
    return lose(flow, flow.to, status);
  }
  // gRPC always reads; a client may not.
  if (&flow == &outward_) {
    start_timer(stall_timer_, &Connection::stalled, loop_.config.write_timeout);
  }
}

void Connection::written(void* context, sy_status status, std::size_t) {
  auto& flow = *static_cast<Flow*>(context);
  auto& connection = flow.connection;
  flow.writing = {};
  if (&flow == &connection.outward_) connection.stop_timer(connection.stall_timer_);
  if (status != SY_OK) connection.lose(flow, flow.to, status);
  connection.end_turn();
}

// gRPC would wait for ever.
void Connection::silent(void* self) {
  auto& connection = *static_cast<Connection*>(self);
  connection.opening_timer_ = nullptr;
  if (!connection.finish_) connection.finish(SY_CLOSE_TIMED_OUT);
  connection.end_turn();
}

void Connection::stalled(void* self) {
  auto& connection = *static_cast<Connection*>(self);
  connection.stall_timer_ = nullptr;
  connection.finish_ = SY_CLOSE_TIMED_OUT;
  connection.end();
  connection.end_turn();
}

// One of the two has broken. Without the client there is nobody to copy for; gRPC may have closed
// its end with something for the client still to be read.
void Connection::lose(const Flow& flow, const sy_connection* failed, sy_status status) {
  if (failed == outward_.to) {
    if (status != SY_CLOSED) finish_ = SY_CLOSE_INTERNAL;
    end();
  } else if (flow.sender == http2::Side::Server) {
    end_flow(outward_);
  } else {
    inner_deaf_ = true;
  }
}

void Connection::end_flow(Flow& flow) {
  flow.ended = true;
  if (flow.sender == http2::Side::Server) {
    server_left_first_ = !inward_.ended;
    finish(reason());
  } else if (finish_) {
    if (said_goodbye_) end();
  } else {
    static_cast<void>(inward_.to->api->shutdown_write(inward_.to));
    start_timer(end_timer_, &Connection::ran_out, kGoodbyeTime);
  }
}

// ---- the end

/// True where a frame of our own may stand now.
bool Connection::may_say() const noexcept {
  return outward_.writing.empty() && walker_.may_insert() &&
         !walker_.gone_away(http2::Side::Server);
}

void Connection::say_goaway(
    std::uint32_t last_stream, http2::ErrorCode code, std::string_view why) {
  const auto frame = http2::encode_goaway(last_stream, code, why);
  const auto slice = to_c(std::span{frame});
  put(outward_, {&slice, 1});
}

void Connection::say_leave() {
  if (finish_ || walker_.gone_away(http2::Side::Server)) {
    leave_wanted_ = false;
  } else if (may_say()) {
    leave_wanted_ = false;
    say_goaway(http2::kLastStream, http2::ErrorCode::NoError, {});
  }
}

void Connection::cut(http2::Error error) {
  const auto code = http2::goaway_code(error);
  const auto flood = code == http2::ErrorCode::EnhanceYourCalm;
  const auto why = make_error_code(error).message();
  flood ? loop_.metrics.cut_for_flood() : loop_.metrics.cut_for_violation();
  if (loop_.host.logs(SY_LOG_WARN)) {
    sy_connection_info info{};
    info.struct_size = sizeof info;
    auto* const wire = outward_.to;
    static_cast<void>(wire->api->describe(wire, &info));
    loop_.host.log(
        SY_LOG_WARN,
        "connection cut conn=" + std::to_string(info.id) + " remote=" + info.remote + " why=\"" +
            why + '"');
  }
  if (may_say()) say_goaway(walker_.last_stream(), code, why);
  if (!end_) finish(flood ? SY_CLOSE_LIMIT : SY_CLOSE_PROTOCOL_ERROR);
}

/// Ends gRPC's part now, and the client's when it has what was written and has closed.
void Connection::finish(sy_close_reason why) {
  finish_ = why;
  close_inner(why);
}

void Connection::say_goodbye() {
  if (said_goodbye_ || !outward_.writing.empty()) return;
  said_goodbye_ = true;
  auto* const wire = outward_.to;
  if (inward_.ended || wire->api->shutdown_write(wire) != SY_OK) return end();
  start_timer(end_timer_, &Connection::ran_out, kGoodbyeTime);
}

void Connection::watch_leaving() {
  if (!draining_ || finish_ || end_timer_ != nullptr || walker_.open_streams() > 0) return;
  start_timer(end_timer_, &Connection::ran_out, kLeavingTime);
}

void Connection::ran_out(void* self) {
  auto& connection = *static_cast<Connection*>(self);
  connection.end_timer_ = nullptr;
  if (connection.finish_ || connection.inward_.ended) {
    connection.end();
  } else if (connection.walker_.open_streams() == 0) {
    if (connection.may_say()) {
      connection.say_goaway(connection.walker_.last_stream(), http2::ErrorCode::NoError, {});
    }
    if (!connection.end_) connection.finish(SY_CLOSE_DRAINED);
  }
  connection.end_turn();
}

void Connection::close_inner(sy_close_reason why) noexcept {
  auto* const inner = std::exchange(inward_.to, nullptr);
  outward_.from = nullptr;
  if (inner != nullptr) inner->api->close(inner, why);
}

void Connection::start_timer(sy_timer*& timer, sy_callback fire, std::chrono::nanoseconds delay) {
  stop_timer(timer);
  const auto due = static_cast<std::uint64_t>((loop_.now() + delay).count());
  if (loop_.api.start_timer(loop_.host.get(), due, fire, this, &timer) != SY_OK) end();
}

void Connection::stop_timer(sy_timer*& timer) noexcept {
  if (timer != nullptr) loop_.api.stop_timer(loop_.host.get(), std::exchange(timer, nullptr));
}

} // namespace switchyard::grpc

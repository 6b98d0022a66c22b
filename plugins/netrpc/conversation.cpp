#include <switchyard/bytes.hpp>

#include <plugins/netrpc/conversation.hpp>
#include <plugins/netrpc/loop.hpp>
#include <proto/netrpc/error_text.hpp>
#include <proto/netrpc/response.hpp>

#include <boost/assert.hpp>

#include <algorithm>
#include <array>

namespace switchyard::netrpc {
namespace {

// What an endpoint that answers with nothing has answered with.
constexpr std::array kNil{std::byte{0xc0}};

// For an endpoint that fails without saying why: an empty text would mean success.
constexpr std::string_view kNoText = "unknown error";

} // namespace

Conversation::Incoming::Incoming(Conversation& conversation)
    : overdue{&Conversation::overdue, &conversation} {}

Conversation::Outgoing::Outgoing(Conversation& conversation)
    : overdue{&Conversation::overdue, &conversation} {}

Conversation::~Conversation() {
  if (call_ != nullptr) call_->orphan();
  release_incoming();
  release_outgoing();
}

void Conversation::receive(std::span<const std::byte> bytes) {
  if (closing_) return;
  used_ = true;
  if (incoming_) {
    store(bytes);
    return go_on();
  }

  const auto served = serve(bytes);
  owner_.consumed(stream_, served);
  if (closing_ || served == bytes.size()) return;
  store(bytes.subspan(served));
  wait_for_more();
}

void Conversation::receive_end() {
  peer_ended_ = true;
  if (busy()) return;
  if (incoming_) {
    go_on();
  } else {
    closing_ = true;
  }
}

void Conversation::go_on() {
  if (busy() || closing_) return;
  if (incoming_) {
    const auto bytes = std::span<const std::byte>{incoming_->bytes}.subspan(incoming_->begin);
    drop_served(serve(bytes));
  }
  if (closing_) return release_incoming();
  if (incoming_) return wait_for_more();
  if (peer_ended_ && !busy()) closing_ = true;
}

void Conversation::drain() {
  draining_ = true;
  if (busy()) return call_->cancel();
  if (incoming_) return; // the rest of a request is on its way
  closing_ = used_;      // and so is the first one
}

void Conversation::end_unused() {
  if (!used_) closing_ = true;
}

bool Conversation::may_begin() const {
  return !busy() && !closing_ && !outgoing_ && owner_.may_begin();
}

/// Serves the requests that are whole, up to the first that is not answered at once. Returns how
/// many bytes of `bytes` they took.
std::size_t Conversation::serve(std::span<const std::byte> bytes) {
  std::size_t served = 0;
  while (served < bytes.size() && may_begin()) {
    const auto rest = bytes.subspan(served);
    const auto header = decode_request_header(rest);
    if (!header) {
      closing_ = true;
      break;
    }
    if (!*header) break;
    const auto body = rest.subspan((*header)->size);
    const auto size = body_size(**header, body);
    if (!size) break;
    dispatch(**header, body.first(*size));
    served += (*header)->size + *size;
  }
  return served;
}

/// How long the body is. Nullopt while that is not known, and when it is no body: then the request
/// has been answered.
std::optional<std::size_t>
Conversation::body_size(const RequestHeader& header, std::span<const std::byte> body) {
  const bool known = incoming_ && incoming_->body;
  auto extent =
      known ? *incoming_->body : msgpack::Extent{{.bytes_max = loop_.config.max_body_bytes}};
  const auto size = extent.scan(body);
  if (!size) {
    ++loop_.count.requests;
    reject(header, undecodable(body, static_cast<msgpack::Error>(size.error().value())));
    return std::nullopt;
  }
  if (*size) {
    if (incoming_) {
      incoming_->body.reset();
      loop_.deadlines.disarm(incoming_->overdue);
    }
    return *size;
  }
  if (!incoming_) incoming_ = std::make_unique<Incoming>(*this);
  incoming_->body = extent;
  return std::nullopt;
}

void Conversation::dispatch(const RequestHeader& header, std::span<const std::byte> body) {
  ++loop_.count.requests;
  EndpointUse endpoint;
  switch (loop_.endpoints.find(header.method, audience_, endpoint)) {
  case EndpointTable::Missing::Nothing: break;
  case EndpointTable::Missing::Method: return reject(header, cannot_find_method(header.method));
  case EndpointTable::Missing::Service: return reject(header, cannot_find_service(header.method));
  case EndpointTable::Missing::Dot: return reject(header, ill_formed(header.method));
  }
  call_ = new Call{loop_, *this, header.seq, std::move(endpoint)};
  call_->run(header.method, to_c(body));
}

void Conversation::answer(std::uint64_t seq, std::string_view method, const Answer& answer) {
  call_ = nullptr;
  const auto content = view(answer.content);
  const std::string_view text{reinterpret_cast<const char*>(content.data()), content.size()};
  switch (answer.verdict) {
  case Verdict::Reply: {
    auto& header = loop_.header_buffer();
    append_response_header(header, seq, method);
    send(header);
    send(content.empty() ? kNil : content);
    break;
  }
  case Verdict::Reject: closing_ = true; [[fallthrough]];
  case Verdict::Fail: fail(seq, method, text); break;
  case Verdict::Drop: closing_ = true; break;
  }
  if (draining_) closing_ = true;
}

void Conversation::take_answer(std::uint64_t seq, std::string_view method, const Answer& given) {
  answer(seq, method, given);
  go_on();
  owner_.settle(*this);
}

void Conversation::reject(const RequestHeader& header, std::string_view text) {
  closing_ = true;
  fail(header.seq, header.method, text);
}

void Conversation::fail(std::uint64_t seq, std::string_view method, std::string_view text) {
  ++loop_.count.errors;
  auto& whole = loop_.header_buffer();
  append_error_response(whole, seq, method, text.empty() ? kNoText : text);
  send(whole);
}

void Conversation::send(std::span<const std::byte> bytes) {
  if (!outgoing_) bytes = bytes.subspan(owner_.write(stream_, bytes));
  if (bytes.empty()) return;
  if (!outgoing_) {
    outgoing_ = std::make_unique<Outgoing>(*this);
    loop_.deadlines.arm_after(outgoing_->overdue, loop_.config.write_timeout);
  }
  outgoing_->bytes.insert(outgoing_->bytes.end(), bytes.begin(), bytes.end());
  owner_.hold(0, static_cast<std::ptrdiff_t>(bytes.size()));
}

void Conversation::write_on() {
  if (!outgoing_) return;
  auto& out = *outgoing_;
  const auto count = owner_.write(stream_, std::span{out.bytes}.subspan(out.begin));
  out.begin += count;
  owner_.hold(0, -static_cast<std::ptrdiff_t>(count));
  if (out.begin < out.bytes.size()) {
    if (count > 0) loop_.deadlines.arm_after(out.overdue, loop_.config.write_timeout);
    return;
  }
  release_outgoing();
  go_on();
}

void Conversation::store(std::span<const std::byte> bytes) {
  if (!incoming_) incoming_ = std::make_unique<Incoming>(*this);
  incoming_->bytes.insert(incoming_->bytes.end(), bytes.begin(), bytes.end());
  owner_.hold(static_cast<std::ptrdiff_t>(bytes.size()), 0);
}

/// Takes `count` bytes off what is stored, and lets the peer send as many more.
void Conversation::drop_served(std::size_t count) {
  auto& in = *incoming_;
  const auto granted = std::min(count, in.granted);
  in.granted -= granted;
  in.begin += count;
  owner_.consumed(stream_, count - granted);
  owner_.hold(-static_cast<std::ptrdiff_t>(count), 0);
  if (in.begin == in.bytes.size()) {
    release_incoming();
  } else if (in.begin > in.bytes.size() / 2) {
    in.bytes.erase(in.bytes.begin(), in.bytes.begin() + static_cast<std::ptrdiff_t>(in.begin));
    in.begin = 0;
  }
}

/// What is stored is a part of a request: lets the peer send the rest, for a time. What is stored
/// for another reason waits without the peer being able to add more than its window.
void Conversation::wait_for_more() {
  if (!may_begin()) return;
  if (peer_ended_) return close_cut();
  auto& in = *incoming_;
  const auto stored = in.bytes.size() - in.begin;
  owner_.consumed(stream_, stored - in.granted);
  in.granted = stored;
  if (!in.overdue.armed()) loop_.deadlines.arm_after(in.overdue, loop_.config.request_timeout);
}

/// The peer has ended within a request. One cut in its body is answered as Go answers it.
void Conversation::close_cut() {
  closing_ = true;
  const auto header =
      decode_request_header(std::span<const std::byte>{incoming_->bytes}.subspan(incoming_->begin));
  if (header && *header) {
    ++loop_.count.requests;
    fail((*header)->seq, (*header)->method, kBodyCut);
  }
  release_incoming();
}

void Conversation::release_incoming() {
  if (!incoming_) return;
  loop_.deadlines.disarm(incoming_->overdue);
  owner_.hold(-static_cast<std::ptrdiff_t>(incoming_->bytes.size() - incoming_->begin), 0);
  incoming_.reset();
}

void Conversation::release_outgoing() {
  if (!outgoing_) return;
  loop_.deadlines.disarm(outgoing_->overdue);
  owner_.hold(0, -static_cast<std::ptrdiff_t>(outgoing_->bytes.size() - outgoing_->begin));
  outgoing_.reset();
}

void Conversation::overdue(void* self) {
  auto& conversation = *static_cast<Conversation*>(self);
  conversation.owner_.time_out(conversation);
}

} // namespace switchyard::netrpc

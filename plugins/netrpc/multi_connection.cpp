#include <plugins/netrpc/loop.hpp>
#include <plugins/netrpc/multi_connection.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace switchyard::netrpc {
namespace {

// Answers held for peers that open windows slowly; from here on no request is begun.
constexpr std::ptrdiff_t kHeldOutputMax = 16 * 1024 * 1024;

// A peer that does not answer our farewell for so long is not about to open a stream either.
constexpr std::chrono::seconds kFarewellLimit{2};

} // namespace

MultiConnection::MultiConnection(Loop& loop, sy_connection* connection)
    : YamuxConnection{loop, connection, yamux::Role::Server},
      farewell_{&MultiConnection::farewell_over, this} {
  ++loop.count.sessions;
}

MultiConnection::~MultiConnection() {
  loop().deadlines.disarm(farewell_);
  for (auto& stream : streams_)
    end_conversation(stream);
  --loop().count.sessions;
}

void MultiConnection::receive_end() {
  if (conversations_ > 0) return finish(SY_CLOSE_PEER_GONE);
  finish(draining_ ? SY_CLOSE_DRAINED : SY_CLOSE_FINISHED);
}

// A stream that the peer has opened before it hears of the end is served: a call in it does not
// fail, and neither does one in a stream that it had kept.
void MultiConnection::begin_drain() {
  session().say_farewell();
  loop().deadlines.arm_after(farewell_, kFarewellLimit);
}

// hashicorp/yamux answers a ping before what another thread of its client was about to send: a
// stream, or the request in it, may still come.
void MultiConnection::on_farewell_heard() {
  if (draining_ || ending()) return;
  drain_streams();
  loop().deadlines.arm_after(farewell_, Conversation::kLate);
}

void MultiConnection::farewell_over(void* self) {
  auto& connection = *static_cast<MultiConnection*>(self);
  if (!connection.ending()) connection.end_farewell();
  connection.end_turn();
}

void MultiConnection::drain_streams() {
  draining_ = true;
  for_each_conversation([](Conversation& conversation) { conversation.drain(); });
}

void MultiConnection::end_farewell() {
  if (!draining_) drain_streams();
  left_ = true;
  for_each_conversation([](Conversation& conversation) { conversation.end_unused(); });
  finish_if_drained();
}

void MultiConnection::make_progress() {
  YamuxConnection::make_progress();
  if (!held_back_) return;
  held_back_ = false;
  for_each_conversation([](Conversation& conversation) { conversation.go_on(); });
}

/// It may be over afterwards.
void MultiConnection::for_each_conversation(void (*act)(Conversation&)) {
  std::vector<std::uint32_t> ids;
  for (const auto& stream : streams_)
    ids.push_back(stream.id);
  for (const auto id : ids) {
    if (auto* conversation = this->conversation(id)) act(*conversation);
    close_if_over(id);
  }
}

void MultiConnection::on_open(std::uint32_t id) {
  const auto place = std::ranges::lower_bound(streams_, id, {}, &Stream::id);
  auto conversation = std::make_unique<Conversation>(loop(), *this, id, Audience::Authenticated);
  if (draining_) conversation->drain();
  streams_.insert(place, {id, std::move(conversation)});
  ++conversations_;
  ++loop().count.streams;
  session().accept(id);
}

void MultiConnection::on_data(std::uint32_t id, std::span<const std::byte> bytes) {
  auto* conversation = this->conversation(id);
  if (conversation == nullptr) return; // and the peer may send no more than its window of this
  conversation->receive(bytes);
  close_if_over(id);
}

void MultiConnection::on_finish(std::uint32_t id) {
  auto* conversation = this->conversation(id);
  if (conversation == nullptr) return forget(id);
  conversation->receive_end();
  close_if_over(id);
}

void MultiConnection::on_reset(std::uint32_t id) {
  forget(id);
  finish_if_drained();
}

void MultiConnection::on_writable(std::uint32_t id) {
  auto* conversation = this->conversation(id);
  if (conversation == nullptr) return;
  conversation->write_on();
  close_if_over(id);
}

bool MultiConnection::may_begin() {
  if (ending()) return false;
  const auto may = queued() < kQueuedBytesMax && held_output_ < kHeldOutputMax;
  held_back_ = held_back_ || !may;
  return may;
}

void MultiConnection::hold(std::ptrdiff_t input, std::ptrdiff_t output) {
  held_input_ += input;
  held_output_ += output;
  // Streams have windows, the session has none: this bounds all of them together.
  if (input > 0 && held_input_ > std::ptrdiff_t{loop().config.max_body_bytes} + yamux::kWindow) {
    end(SY_CLOSE_LIMIT);
  }
}

void MultiConnection::settle(Conversation& conversation) {
  close_if_over(conversation.stream());
  end_turn();
}

void MultiConnection::time_out(Conversation& conversation) {
  const auto id = conversation.stream();
  session().reset(id);
  forget(id);
  finish_if_drained();
  end_turn();
}

std::vector<MultiConnection::Stream>::iterator MultiConnection::find(std::uint32_t id) {
  const auto place = std::ranges::lower_bound(streams_, id, {}, &Stream::id);
  return place != streams_.end() && place->id == id ? place : streams_.end();
}

Conversation* MultiConnection::conversation(std::uint32_t id) {
  const auto stream = find(id);
  return stream == streams_.end() ? nullptr : stream->conversation.get();
}

/// Closes our side of a stream whose conversation is over.
void MultiConnection::close_if_over(std::uint32_t id) {
  const auto stream = find(id);
  if (stream == streams_.end() || !stream->conversation || !stream->conversation->over()) return;

  session().finish(id);
  end_conversation(*stream);
  if (!session().is_open(id)) streams_.erase(stream);
  finish_if_drained();
}

void MultiConnection::forget(std::uint32_t id) {
  const auto stream = find(id);
  if (stream == streams_.end()) return;
  end_conversation(*stream);
  streams_.erase(stream);
}

void MultiConnection::end_conversation(Stream& stream) {
  if (!stream.conversation) return;
  stream.conversation.reset();
  --conversations_;
  --loop().count.streams;
}

void MultiConnection::finish_if_drained() {
  if (left_ && conversations_ == 0) finish(SY_CLOSE_DRAINED);
}

} // namespace switchyard::netrpc

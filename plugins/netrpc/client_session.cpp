#include <switchyard/bytes.hpp>

#include <plugins/netrpc/client_pool.hpp>
#include <plugins/netrpc/client_session.hpp>
#include <plugins/netrpc/loop.hpp>
#include <proto/netrpc/request.hpp>
#include <proto/netrpc/response.hpp>

#include <boost/assert.hpp>

#include <algorithm>
#include <utility>

namespace switchyard::netrpc {
namespace {

// Consul's pool keeps as many idle streams in a client, and an unused connection as long.
constexpr std::size_t kIdleStreamsMax = 32;
constexpr std::chrono::seconds kUnusedMax{120};

} // namespace

ClientSession::ClientSession(Loop& loop, sy_connection* connection, ClientPool& pool)
    : YamuxConnection{loop, connection, yamux::Role::Client},
      pool_{pool},
      unused_{&ClientSession::unused, this} {
  ++loop.count.client_sessions;
}

ClientSession::~ClientSession() {
  retired_ = true;
  pool_.retire(*this);
  loop().deadlines.disarm(unused_);
  --loop().count.client_sessions;
  const auto status = loop().draining() ? SY_CANCELLED : SY_CLOSED;
  for (auto& stream : streams_) {
    if (const auto invocation = std::move(stream.invocation)) invocation->finish(status);
  }
  while (!queued_.empty())
    queued_.front().finish(status);
}

void ClientSession::start(Waiting& waiting) {
  queued_.splice(queued_.end(), waiting);
  begin_queued();
  if (loop().draining()) retire();
  end_turn();
}

void ClientSession::run(sy_netrpc_invocation& invocation) {
  queued_.push_back(invocation);
  begin_queued();
  end_turn();
}

void ClientSession::abandon(sy_netrpc_invocation& invocation) {
  const auto stream = std::ranges::find(
      streams_, &invocation, [](const Stream& each) { return each.invocation.get(); });
  BOOST_ASSERT(stream != streams_.end());
  session().reset(stream->id);
  static_cast<void>(forget(*stream));
  rest_if_unused();
  end_turn();
}

/// Gives those that wait a stream each, as far as there are any.
void ClientSession::begin_queued() {
  while (!queued_.empty() && !ending()) {
    auto& invocation = queued_.front();
    if (!idle_.empty()) {
      auto* stream = find(idle_.back());
      idle_.pop_back();
      queued_.pop_front();
      send(*stream, invocation);
      continue;
    }
    const auto opened = session().open();
    if (opened) {
      queued_.pop_front();
      send(streams_.emplace_back(Stream{.id = *opened}), invocation);
      continue;
    }
    // Too many at once: one will end, or be acknowledged. No more at all: another session.
    if (opened.error() == yamux::Error::BacklogFull ||
        opened.error() == yamux::Error::StreamLimit) {
      return;
    }
    retire();
    Waiting others;
    others.swap(queued_);
    while (!others.empty()) {
      auto& next = others.front();
      others.pop_front();
      pool_.submit(next);
    }
    rest_if_unused();
  }
}

void ClientSession::send(Stream& stream, sy_netrpc_invocation& invocation) {
  loop().deadlines.disarm(unused_);
  ++calls_;
  stream.invocation = &invocation;
  stream.seq = next_seq_++;
  invocation.session = this;
  append_request_header(stream.request, stream.seq, invocation.method());
  stream.request.insert(stream.request.end(), invocation.body.begin(), invocation.body.end());
  invocation.body = {};
  write_on(stream);
}

void ClientSession::write_on(Stream& stream) {
  stream.sent += session().write(stream.id, std::span{stream.request}.subspan(stream.sent));
  if (stream.sent < stream.request.size()) return;
  stream.request = {};
  stream.sent = 0;
}

void ClientSession::on_open(std::uint32_t id) {
  session().reset(id);
}

void ClientSession::on_data(std::uint32_t id, std::span<const std::byte> bytes) {
  session().consumed(id, bytes.size());
  auto* stream = find(id);
  if (stream == nullptr) return; // given up already
  if (!stream->invocation) return discard(*stream, SY_INVALID);

  if (!stream->answer.empty()) {
    stream->answer.insert(stream->answer.end(), bytes.begin(), bytes.end());
    bytes = stream->answer;
  }
  const auto answer = read_answer(*stream, bytes);
  if (!answer) return discard(*stream, SY_INVALID);
  if (*answer) return take_answer(*stream, **answer, bytes.size());
  if (stream->answer.empty()) stream->answer.assign(bytes.begin(), bytes.end());
}

/// The answer at the start of `bytes`; nullopt while it is cut short.
boost::system::result<std::optional<ClientSession::Answer>>
ClientSession::read_answer(Stream& stream, std::span<const std::byte> bytes) const {
  const auto header = decode_response_header(bytes);
  if (!header) return header.error();
  if (!*header) return std::nullopt;

  const auto body = bytes.subspan((*header)->size);
  if (!stream.body) stream.body.emplace(msgpack::Limits{.bytes_max = loop().config.max_body_bytes});
  const auto size = stream.body->scan(body);
  if (!size) return size.error();
  if (!*size) return std::nullopt;
  return Answer{(*header)->seq, (*header)->error, body.first(**size), (*header)->size + **size};
}

/// A stream on which all is well is used again; after an error text the server may have closed it.
void ClientSession::take_answer(Stream& stream, const Answer& answer, std::size_t received) {
  if (answer.seq != stream.seq) return discard(stream, SY_INVALID);

  const auto whole = std::move(stream.answer); // `answer` points into it
  sy_netrpc_invocation::Pointer invocation;
  const auto all_sent = stream.request.empty();
  const auto all_well = all_sent && answer.error.empty() && answer.size == received;
  if (all_well && !retired_ && idle_.size() < kIdleStreamsMax) {
    invocation = std::exchange(stream.invocation, nullptr);
    --calls_;
    stream.answer = {};
    stream.body.reset();
    idle_.push_back(stream.id);
  } else {
    if (all_sent) {
      session().finish(stream.id);
    } else {
      session().reset(stream.id);
    }
    invocation = forget(stream);
  }
  invocation->finish(SY_OK, to_c(answer.error), to_c(answer.reply));
  rest_if_unused();
}

void ClientSession::on_finish(std::uint32_t id) {
  auto* stream = find(id);
  if (stream == nullptr) return;
  session().finish(id);
  if (const auto invocation = forget(*stream)) invocation->finish(SY_CLOSED);
  rest_if_unused();
}

void ClientSession::on_reset(std::uint32_t id) {
  auto* stream = find(id);
  if (stream == nullptr) return;
  if (const auto invocation = forget(*stream)) invocation->finish(SY_CLOSED);
  rest_if_unused();
}

void ClientSession::on_writable(std::uint32_t id) {
  if (auto* stream = find(id)) write_on(*stream);
}

void ClientSession::on_go_away() {
  retire();
}

void ClientSession::receive_end() {
  end(calls_ == 0 ? SY_CLOSE_FINISHED : SY_CLOSE_PEER_GONE);
}

void ClientSession::begin_drain() {
  retire();
}

ClientSession::Stream* ClientSession::find(std::uint32_t id) {
  const auto stream = std::ranges::find(streams_, id, &Stream::id);
  return stream == streams_.end() ? nullptr : &*stream;
}

/// Takes a stream off the list; returns the call it had.
sy_netrpc_invocation::Pointer ClientSession::forget(Stream& stream) {
  auto invocation = std::move(stream.invocation);
  if (invocation) --calls_;
  std::erase(idle_, stream.id);
  std::swap(stream, streams_.back());
  streams_.pop_back();
  return invocation;
}

void ClientSession::discard(Stream& stream, sy_status status) {
  session().reset(stream.id);
  if (const auto invocation = forget(stream)) invocation->finish(status);
  rest_if_unused();
}

/// Takes no further calls; ends with the last of those it has.
void ClientSession::retire() {
  if (std::exchange(retired_, true)) return;
  pool_.retire(*this);
  for (const auto id : std::exchange(idle_, {})) {
    session().finish(id);
    static_cast<void>(forget(*find(id)));
  }
  rest_if_unused();
}

void ClientSession::rest_if_unused() {
  if (calls_ > 0 || !queued_.empty()) return;
  if (retired_) {
    finish(SY_CLOSE_FINISHED);
  } else {
    loop().deadlines.arm_after(unused_, kUnusedMax);
  }
}

void ClientSession::unused(void* self) {
  auto& session = *static_cast<ClientSession*>(self);
  session.retire();
  session.end_turn();
}

} // namespace switchyard::netrpc

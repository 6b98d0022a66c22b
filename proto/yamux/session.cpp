#include <proto/yamux/session.hpp>

#include <boost/assert.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace switchyard::yamux {
namespace {

constexpr std::uint16_t bits(Flag flag) {
  return static_cast<std::uint16_t>(flag);
}

// Go's client gives up two ids earlier than the type does; so do we.
constexpr std::uint32_t kLastId = std::numeric_limits<std::uint32_t>::max() - 2;

// Shrinking below this saves less than an allocation costs.
constexpr std::size_t kStreamsKept = 16;

} // namespace

Session::Session(Role role, const Limits& limits, std::chrono::nanoseconds now)
    : limits_{&limits},
      deadline_{now + limits.keepalive_interval},
      next_id_{role == Role::Client ? 1u : 2u} {}

boost::system::result<void> Session::receive(std::span<const std::byte> bytes, Events& events) {
  heard_ = heard_ || !bytes.empty();
  while (!bytes.empty()) {
    if (payload_left_ > 0) {
      const auto piece = bytes.first(std::min<std::size_t>(bytes.size(), payload_left_));
      bytes = bytes.subspan(piece.size());
      payload_left_ -= static_cast<std::uint32_t>(piece.size());
      if (is_open(payload_stream_)) events.on_data(payload_stream_, piece);
      if (payload_left_ == 0) on_payload_end(events);
      continue;
    }

    const auto part = bytes.first(std::min(bytes.size(), kHeaderSize - header_filled_));
    std::ranges::copy(part, header_.begin() + header_filled_);
    header_filled_ = static_cast<std::uint8_t>(header_filled_ + part.size());
    bytes = bytes.subspan(part.size());
    if (header_filled_ < kHeaderSize) break;

    header_filled_ = 0;
    const auto header = decode_header(header_);
    if (!header) return header.error();
    if (const auto done = on_frame(*header, events); !done) return done.error();
    if (output_.size() > 2 * limits_->output_bytes_max) return Error::OutputLimit;
  }
  return {};
}

boost::system::result<void> Session::on_frame(const Header& header, Events& events) {
  switch (header.type) {
  case FrameType::Data:
  case FrameType::WindowUpdate: return on_stream_frame(header, events);
  case FrameType::Ping:
    if (header.has(Flag::Syn)) {
      put(FrameType::Ping, bits(Flag::Ack), 0, header.length);
    } else if (farewell_ == header.length) {
      farewell_.reset();
      events.on_farewell_heard();
    }
    return {};
  case FrameType::GoAway: return on_peer_go_away(header.length, events);
  }
  return {};
}

boost::system::result<void> Session::on_stream_frame(const Header& header, Events& events) {
  const auto id = header.stream_id;
  const auto is_data = header.type == FrameType::Data;
  // Payload is drained in any case; of a stream that is not open it goes nowhere.
  if (is_data) {
    payload_left_ = header.length;
    payload_stream_ = id;
    finish_after_payload_ = false;
  }

  if (header.has(Flag::Syn)) {
    if (const auto opened = on_syn(id, events); !opened) return opened;
  }
  const auto found = find(id);
  if (found == nullptr) return {};
  auto& stream = *found;

  if (header.has(Flag::Rst)) {
    erase(id);
    events.on_reset(id);
    return {};
  }
  if (header.has(Flag::Ack) && !stream.opened_by_peer) acknowledge(stream);
  if (stream.peer_finished && header.has(Flag::Fin)) return Error::UnexpectedFinish;

  if (is_data) {
    if (stream.peer_finished && header.length > 0) return Error::DataAfterFinish;
    if (header.length > stream.receive_window) return Error::WindowExceeded;
    stream.receive_window -= header.length;
    finish_after_payload_ = header.has(Flag::Fin);
    if (payload_left_ == 0) on_payload_end(events);
    return {};
  }

  if (const auto granted = on_grant(stream, header.length, events); !granted) return granted;
  payload_stream_ = id;
  finish_after_payload_ = header.has(Flag::Fin);
  on_payload_end(events);
  return {};
}

boost::system::result<void> Session::on_syn(std::uint32_t id, Events& events) {
  if (id == 0) return Error::StreamZero;
  if (is_open(id)) return Error::StreamReused;

  if (going_away_ || streams_.size() >= limits_->streams_max ||
      unaccepted_ >= limits_->accept_backlog) {
    put(FrameType::WindowUpdate, bits(Flag::Rst), id, 0);
    return {};
  }
  insert(id).opened_by_peer = true;
  ++unaccepted_;
  events.on_open(id);
  return {};
}

boost::system::result<void> Session::on_grant(Stream& stream, std::uint32_t bytes, Events& events) {
  if (bytes > std::numeric_limits<std::uint32_t>::max() - stream.send_window) {
    return Error::WindowOverflow;
  }
  stream.send_window += bytes;
  if (!stream.wants_to_write || stream.send_window == 0) return {};
  if (output_.size() >= limits_->output_bytes_max) {
    held_back_ = true;
    return {};
  }
  stream.wants_to_write = false;
  events.on_writable(stream.id);
  return {};
}

// FIN counts once the payload it came with has been handed on.
void Session::on_payload_end(Events& events) {
  const auto id = payload_stream_;
  const auto found = find(id);
  if (!std::exchange(finish_after_payload_, false) || found == nullptr) return;

  found->peer_finished = true;
  if (found->finished) erase(id);
  events.on_finish(id);
}

boost::system::result<void> Session::on_peer_go_away(std::uint32_t code, Events& events) {
  switch (static_cast<GoAwayCode>(code)) {
  case GoAwayCode::Normal:
    if (!std::exchange(peer_going_away_, true)) events.on_go_away();
    return {};
  case GoAwayCode::ProtocolError: return Error::PeerProtocolError;
  case GoAwayCode::InternalError: return Error::PeerInternalError;
  }
  return Error::UnknownGoAway;
}

void Session::resume(Events& events) {
  if (!held_back_ || output_.size() >= limits_->output_bytes_max) return;
  held_back_ = false;
  // By id, because a handler may open or drop streams.
  std::uint32_t last = 0;
  while (true) {
    if (output_.size() >= limits_->output_bytes_max) {
      held_back_ = true;
      return;
    }
    const auto rest = std::ranges::upper_bound(streams_, last, {}, &Stream::id);
    const auto next = std::find_if(rest, streams_.end(), [](const Stream& stream) {
      return stream.wants_to_write && stream.send_window > 0;
    });
    if (next == streams_.end()) return;
    last = next->id;
    next->wants_to_write = false;
    events.on_writable(last);
  }
}

boost::system::result<std::uint32_t> Session::open() {
  if (going_away_ || leaving_ || peer_going_away_) return Error::GoingAway;
  if (opening_ >= limits_->accept_backlog) return Error::BacklogFull;
  if (streams_.size() >= limits_->streams_max) return Error::StreamLimit;
  while (next_id_ < kLastId && is_open(next_id_))
    next_id_ += 2;
  if (next_id_ >= kLastId) return Error::IdsExhausted;

  const auto id = std::exchange(next_id_, next_id_ + 2);
  insert(id);
  ++opening_;
  put(FrameType::WindowUpdate, bits(Flag::Syn), id, 0);
  return id;
}

void Session::accept(std::uint32_t id) {
  auto& stream = at(id);
  BOOST_ASSERT(stream.opened_by_peer && !stream.acknowledged);
  acknowledge(stream);
  put(FrameType::WindowUpdate, bits(Flag::Ack), id, 0);
}

std::size_t Session::write(std::uint32_t id, std::span<const std::byte> bytes) {
  auto& stream = at(id);
  BOOST_ASSERT(!stream.finished);
  BOOST_ASSERT(stream.acknowledged || !stream.opened_by_peer);

  const auto room = limits_->output_bytes_max - std::min(limits_->output_bytes_max, output_.size());
  const auto count = std::min({bytes.size(), std::size_t{stream.send_window}, room});
  if (count > 0) {
    output_.append_data(id, bytes.first(count));
    stream.send_window -= static_cast<std::uint32_t>(count);
  }
  if (count < bytes.size()) {
    stream.wants_to_write = true;
    held_back_ = held_back_ || count == room;
  }
  return count;
}

void Session::finish(std::uint32_t id) {
  auto& stream = at(id);
  BOOST_ASSERT(!stream.finished);
  BOOST_ASSERT(stream.acknowledged || !stream.opened_by_peer);

  put(FrameType::WindowUpdate, bits(Flag::Fin), id, 0);
  stream.finished = true;
  stream.wants_to_write = false;
  if (stream.peer_finished) erase(id);
}

void Session::reset(std::uint32_t id) {
  erase(id);
  put(FrameType::WindowUpdate, bits(Flag::Rst), id, 0);
}

void Session::consumed(std::uint32_t id, std::size_t count) {
  const auto found = find(id);
  if (found == nullptr) return;

  BOOST_ASSERT(count <= kWindow - found->receive_window - found->grantable);
  found->grantable += static_cast<std::uint32_t>(count);
  if (found->grantable < kWindow / 2 || found->peer_finished) return;

  put(FrameType::WindowUpdate, 0, id, found->grantable);
  found->receive_window += std::exchange(found->grantable, 0u);
}

void Session::go_away(GoAwayCode code) {
  going_away_ = true;
  put(FrameType::GoAway, 0, 0, static_cast<std::uint32_t>(code));
}

void Session::say_farewell() {
  leaving_ = true;
  put(FrameType::GoAway, 0, 0, static_cast<std::uint32_t>(GoAwayCode::Normal));
  farewell_ = next_ping_++;
  put(FrameType::Ping, bits(Flag::Syn), 0, *farewell_);
}

boost::system::result<void> Session::advance(std::chrono::nanoseconds now) {
  if (now < deadline_) return {};
  if (std::exchange(heard_, false)) {
    probing_ = false;
    deadline_ = now + limits_->keepalive_interval;
    return {};
  }
  if (probing_) return Error::KeepAliveTimeout;

  put(FrameType::Ping, bits(Flag::Syn), 0, next_ping_++);
  probing_ = true;
  deadline_ = now + limits_->keepalive_timeout;
  return {};
}

bool Session::is_open(std::uint32_t id) const noexcept {
  const auto place = std::ranges::lower_bound(streams_, id, {}, &Stream::id);
  return place != streams_.end() && place->id == id;
}

Session::Stream* Session::find(std::uint32_t id) noexcept {
  const auto place = std::ranges::lower_bound(streams_, id, {}, &Stream::id);
  return place != streams_.end() && place->id == id ? &*place : nullptr;
}

Session::Stream& Session::at(std::uint32_t id) noexcept {
  const auto found = find(id);
  BOOST_ASSERT(found != nullptr);
  return *found;
}

Session::Stream& Session::insert(std::uint32_t id) {
  const auto place = std::ranges::lower_bound(streams_, id, {}, &Stream::id);
  return *streams_.insert(place, Stream{.id = id});
}

void Session::erase(std::uint32_t id) {
  auto& stream = at(id);
  acknowledge(stream);
  streams_.erase(streams_.begin() + (&stream - streams_.data()));
  if (streams_.size() < streams_.capacity() / 4 && streams_.capacity() > kStreamsKept) {
    streams_.shrink_to_fit();
  }
}

// Gives the place in the backlog back.
void Session::acknowledge(Stream& stream) noexcept {
  if (!std::exchange(stream.acknowledged, true)) --(stream.opened_by_peer ? unaccepted_ : opening_);
}

void Session::put(FrameType type, std::uint16_t flags, std::uint32_t id, std::uint32_t length) {
  output_.append({.type = type, .flags = flags, .stream_id = id, .length = length});
}

} // namespace switchyard::yamux

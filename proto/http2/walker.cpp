#include <proto/http2/walker.hpp>

#include <boost/endian/conversion.hpp>

#include <algorithm>

namespace switchyard::http2 {
namespace {

// Lengths of payload; source: RFC 9113 §6.
constexpr std::uint32_t kPrioritySize = 5;
constexpr std::uint32_t kRstStreamSize = 4;
constexpr std::uint32_t kSettingSize = 6; // one of any number
constexpr std::uint32_t kPingSize = 8;
constexpr std::uint32_t kGoAwaySize = 8; // or more
constexpr std::uint32_t kWindowUpdateSize = 4;
static_assert(kHeaderSize + kGoAwaySize - 1 <= kHeldMax);

// Where in a GOAWAY frame its code stands; source: RFC 9113 §6.8.
constexpr std::size_t kGoAwayCodeAt = kHeaderSize + 4;

// Setting ids; source: RFC 9113 §6.5.2.
constexpr std::uint16_t kMaxConcurrentStreams = 3;
constexpr std::uint16_t kMaxFrameSize = 5;

// What a frame that opens a stream or answers gives back to Limits::window_updates.
constexpr std::uint32_t kUpdatesPerFrame = 4;
constexpr std::uint32_t kBytesPerUpdate = 1024;

const unsigned char* octets(std::span<const std::byte> bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

bool begins_preface(std::span<const std::byte> bytes) {
  const auto preface = std::as_bytes(std::span{kPreface});
  const auto known = std::min(bytes.size(), preface.size());
  return std::ranges::equal(bytes.first(known), preface.first(known));
}

} // namespace

template <Side kSide>
Passage Walker::walk(std::span<const std::byte> bytes, Time now) {
  auto& direction = kSide == Side::Client ? client_ : server_;
  Passage passage;
  auto rest = bytes;
  while (true) {
    if (kSide == Side::Server && settings_left_ > 0) {
      rest = rest.subspan(read_settings(rest));
      if (settings_left_ > 0) break;
    }
    const auto skipped = std::min<std::size_t>(direction.payload_left, rest.size());
    rest = rest.subspan(skipped);
    direction.payload_left -= static_cast<std::uint32_t>(skipped);
    if (direction.payload_left > 0) break;
    if (kSide == Side::Server && may_insert()) passage.insert_at = bytes.size() - rest.size();
    if (rest.size() < kHeaderSize) break;

    const auto header = decode_header(rest.first<kHeaderSize>());
    const auto is_goaway = header.type == FrameType::GoAway && header.length >= kGoAwaySize;
    if (is_goaway && rest.size() < kHeaderSize + kGoAwaySize) break;
    passage.error =
        kSide == Side::Client ? on_client_frame(header, now) : on_server_frame(header, now);
    if (passage.error) break;
    if (is_goaway) {
      direction.gone_away = ErrorCode{boost::endian::load_big_u32(octets(rest) + kGoAwayCodeAt)};
    }
    direction.payload_left = header.length;
    rest = rest.subspan(kHeaderSize);
  }
  passage.pass = bytes.size() - rest.size();
  return passage;
}

Passage Walker::from_client(std::span<const std::byte> bytes, Time now) {
  if (preface_) return walk<Side::Client>(bytes, now);
  Passage passage;
  if (!begins_preface(bytes)) passage.error = Error::BadPreface;
  if (passage.error || bytes.size() < kPreface.size()) return passage;

  preface_ = true;
  passage = walk<Side::Client>(bytes.subspan(kPreface.size()), now);
  passage.pass += kPreface.size();
  return passage;
}

Passage Walker::from_server(std::span<const std::byte> bytes, Time now) {
  return walk<Side::Server>(bytes, now);
}

bool Walker::may_insert() const noexcept {
  return server_.begun && server_.payload_left == 0 && server_.block_stream == 0;
}

// Whole settings only: what is left of one is held back.
std::size_t Walker::read_settings(std::span<const std::byte> bytes) noexcept {
  auto rest = bytes;
  while (settings_left_ > 0 && rest.size() >= kSettingSize) {
    const auto value = boost::endian::load_big_u32(octets(rest) + 2);
    switch (boost::endian::load_big_u16(octets(rest))) {
    case kMaxConcurrentStreams: advertised_streams_ = std::max(advertised_streams_, value); break;
    case kMaxFrameSize: frame_bytes_max_ = std::max(frame_bytes_max_, value); break;
    default: break;
    }
    rest = rest.subspan(kSettingSize);
    settings_left_ -= kSettingSize;
    server_.payload_left -= kSettingSize;
  }
  return bytes.size() - rest.size();
}

Walker::Verdict Walker::on_client_frame(const Header& header, Time now) {
  const auto type = header.type;
  if (!client_.begun && (type != FrameType::Settings || header.has(Flag::Ack))) {
    return Error::SettingsExpected;
  }
  client_.begun = true;
  if (header.length > frame_bytes_max_) return Error::FrameTooLong;
  if (client_.block_stream != 0 &&
      (type != FrameType::Continuation || header.stream != client_.block_stream)) {
    return Error::ContinuationExpected;
  }

  switch (type) {
  case FrameType::Data: return on_client_data(header, now);
  case FrameType::Headers: return on_client_headers(header, now);
  case FrameType::Continuation: return on_client_continuation(header, now);
  case FrameType::Settings: return on_client_settings(header, now);

  case FrameType::Priority:
    if (header.stream == 0) return Error::StreamExpected;
    if (header.length != kPrioritySize) return Error::FrameLengthWrong;
    return charge(overhead_, limits_->overhead, Error::PriorityFlood, now);

  case FrameType::RstStream:
    if (const auto error = check_opened(header.stream)) return error;
    if (header.length != kRstStreamSize) return Error::FrameLengthWrong;
    streams_.reset(header.stream);
    return charge(resets_, limits_->resets, Error::ResetFlood, now);

  case FrameType::PushPromise: return Error::PushByClient;

  case FrameType::Ping:
    if (header.stream != 0) return Error::ConnectionExpected;
    if (header.length != kPingSize) return Error::FrameLengthWrong;
    if (header.has(Flag::Ack)) return charge(overhead_, limits_->overhead, Error::PingFlood, now);
    return charge(pings_, limits_->pings, Error::PingFlood, now);

  case FrameType::GoAway:
    if (header.stream != 0) return Error::ConnectionExpected;
    if (header.length < kGoAwaySize) return Error::FrameLengthWrong;
    return charge(overhead_, limits_->overhead, Error::GoAwayFlood, now);

  case FrameType::WindowUpdate:
    if (header.stream != 0) {
      if (const auto error = check_opened(header.stream)) return error;
    }
    if (header.length != kWindowUpdateSize) return Error::FrameLengthWrong;
    return charge(window_updates_, limits_->window_updates, Error::WindowUpdateFlood, now);
  }
  return charge(overhead_, limits_->overhead, Error::UnknownFrameFlood, now);
}

// An end that comes too late crosses with the server's; that one has paid for it.
Walker::Verdict Walker::on_client_data(const Header& header, Time now) {
  if (const auto error = check_opened(header.stream)) return error;
  if (header.has(Flag::EndStream)) {
    if (streams_.end(header.stream, Side::Client)) return {};
    return charge(resets_, limits_->resets, Error::ClosedStreamFlood, now);
  }
  if (header.length > 0) return {};
  return charge(overhead_, limits_->overhead, Error::EmptyFrameFlood, now);
}

Walker::Verdict Walker::on_client_headers(const Header& header, Time now) {
  const auto stream = header.stream;
  if (stream == 0) return Error::StreamExpected;
  if (stream % 2 == 0) return Error::ServerStream;

  const auto ends = header.has(Flag::EndStream);
  if (stream > last_stream_) {
    if (streams_.count() >= streams_max()) return Error::TooManyStreams;
    last_stream_ = stream;
    streams_.open(stream);
    window_updates_.give(limits_->window_updates, kUpdatesPerFrame, now);
    if (ends) streams_.end(stream, Side::Client);
  } else if (!ends || !streams_.end(stream, Side::Client)) {
    const auto flood = charge(resets_, limits_->resets, Error::ClosedStreamFlood, now);
    if (flood) return flood;
  }
  block_bytes_ = 0;
  continuations_ = 0;
  return on_block_part(header, now);
}

Walker::Verdict Walker::on_client_continuation(const Header& header, Time now) {
  if (client_.block_stream == 0) return Error::UnexpectedContinuation;
  if (++continuations_ > limits_->continuations_max) return Error::TooManyContinuations;
  return on_block_part(header, now);
}

Walker::Verdict Walker::on_block_part(const Header& header, Time now) {
  client_.block_stream = header.has(Flag::EndHeaders) ? 0 : header.stream;
  block_bytes_ += header.length;
  if (block_bytes_ > limits_->header_block_bytes_max) return Error::HeaderBlockTooLong;
  if (!acknowledged_) {
    unacknowledged_bytes_ += header.length;
    if (unacknowledged_bytes_ > limits_->unacknowledged_bytes_max) {
      return Error::SettingsUnacknowledged;
    }
  }
  if (header.length > 0) return {};
  return charge(overhead_, limits_->overhead, Error::EmptyFrameFlood, now);
}

Walker::Verdict Walker::on_client_settings(const Header& header, Time now) {
  if (header.stream != 0) return Error::ConnectionExpected;
  const auto is_ack = header.has(Flag::Ack);
  if (is_ack ? header.length != 0 : header.length % kSettingSize != 0) {
    return Error::FrameLengthWrong;
  }
  acknowledged_ = acknowledged_ || (is_ack && server_.begun);
  return charge(overhead_, limits_->overhead, Error::SettingsFlood, now);
}

Walker::Verdict Walker::on_server_frame(const Header& header, Time now) {
  const auto is_block = header.type == FrameType::Headers ||
                        header.type == FrameType::Continuation ||
                        header.type == FrameType::PushPromise;
  if (is_block) server_.block_stream = header.has(Flag::EndHeaders) ? 0 : header.stream;

  switch (header.type) {
  case FrameType::Data:
  case FrameType::Headers:
    pings_.give(limits_->pings, 1, now);
    window_updates_.give(
        limits_->window_updates, kUpdatesPerFrame + header.length / kBytesPerUpdate, now);
    if (header.has(Flag::EndStream) && streams_.end(header.stream, Side::Server)) {
      resets_.give(limits_->resets, 1, now);
    }
    return {};

  case FrameType::RstStream: {
    const auto unanswered = streams_.sends(header.stream, Side::Server);
    streams_.reset(header.stream);
    if (!unanswered) return {};
    return charge(resets_, limits_->resets, Error::ResetFlood, now);
  }

  case FrameType::Settings:
    server_.begun = true;
    if (header.has(Flag::Ack)) return {};
    settings_left_ = header.length - header.length % kSettingSize;
    overhead_.give(limits_->overhead, 1, now);
    return {};

  case FrameType::Ping:
    if (!header.has(Flag::Ack)) overhead_.give(limits_->overhead, 1, now);
    return {};

  default: return {};
  }
}

Walker::Verdict Walker::check_opened(std::uint32_t stream) const noexcept {
  if (stream % 2 == 1 && stream <= last_stream_) return {};
  if (stream == 0) return Error::StreamExpected;
  return stream % 2 == 0 ? Error::ServerStream : Error::IdleStream;
}

Walker::Verdict
Walker::charge(Bucket& bucket, const Allowance& allowance, Error flood, Time now) noexcept {
  if (bucket.take(allowance, now)) return {};
  return flood;
}

// The client is held to what the server advertised from when it says that it knows.
std::size_t Walker::streams_max() const noexcept {
  if (!acknowledged_ || advertised_streams_ == 0) return limits_->streams_max;
  return std::min<std::size_t>(limits_->streams_max, advertised_streams_);
}

} // namespace switchyard::http2

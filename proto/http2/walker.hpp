#pragma once

#include <proto/http2/error.hpp>
#include <proto/http2/limits.hpp>
#include <proto/http2/streams.hpp>

#include <optional>

namespace switchyard::http2 {

/// What became of an input. The bytes are those of the input: nothing is copied or changed.
struct Passage {
  /// The first `pass` bytes go on to the other side, at once. The rest, at most kHeldMax bytes, is
  /// the beginning of something that is judged as a whole: keep it, and give it again in front of
  /// the bytes that come next. At the end of the connection it is of no use.
  std::size_t pass = 0;

  /// The last place among those bytes, counted from their start up to `pass`, where a frame of our
  /// own may stand; nothing when there is none. Only for what the server sends.
  std::optional<std::size_t> insert_at;

  /// Why the connection must end: pass `pass` bytes on or do not, tell the client goaway_code()
  /// where a frame may stand, and close both sides. The walker takes no more bytes of this side;
  /// of the other it does, until such a place is found.
  std::optional<Error> error;

  friend bool operator==(const Passage&, const Passage&) = default;
};

/// The most a walker holds back of one direction: the preface but for its last byte.
inline constexpr std::size_t kHeldMax = kPreface.size() - 1;

/// Walks along the frames of one HTTP/2 connection in both directions, between a client and a
/// server that is no match for a hostile one. Follows frame boundaries, streams and the server's
/// settings; counts what costs the server more than the client. Does not decode HPACK and does not
/// look at payload, except of SETTINGS and GOAWAY. Skips payload by its length; allocates nothing
/// but four bytes a stream that is open.
///
/// The verdict and the bytes passed on depend on the bytes and on the order of calls, not on how
/// the bytes are split. Not thread-safe, never blocks, never reads a clock; a time is nanoseconds
/// since any fixed point, and the same clock in both directions.
class Walker {
public:
  /// `limits` must outlive the walker.
  explicit Walker(const Limits& limits) noexcept : limits_{&limits} {}

  /// Takes bytes the client sent, beginning with what the last Passage held back.
  [[nodiscard]] Passage from_client(std::span<const std::byte> bytes, std::chrono::nanoseconds now);

  /// Takes bytes the server sent, likewise. The server is trusted to speak HTTP/2; the only error
  /// is Error::ResetFlood, when the client has made it reset too many streams.
  [[nodiscard]] Passage from_server(std::span<const std::byte> bytes, std::chrono::nanoseconds now);

  /// True when a frame of our own may follow what was passed on of the server's bytes: it has sent
  /// its SETTINGS and stands between two frames, outside of a header block.
  [[nodiscard]] bool may_insert() const noexcept;

  /// True once the first SETTINGS of the client have come.
  [[nodiscard]] bool begun() const noexcept { return client_.begun; }

  /// Streams that the client opened and that are not finished in both directions. 0 after GOAWAY
  /// means that the client may be gone any time; until it closes it may open more.
  [[nodiscard]] std::size_t open_streams() const noexcept { return streams_.count(); }

  /// The highest stream the client has opened, 0 before the first; what a final GOAWAY names.
  [[nodiscard]] std::uint32_t last_stream() const noexcept { return last_stream_; }

  /// The code of the last GOAWAY that `side` has sent; nothing before the first. After one of the
  /// server's, which is passed on like any frame, none of ours may name a higher stream.
  [[nodiscard]] std::optional<ErrorCode> gone_away(Side side) const noexcept {
    return (side == Side::Client ? client_ : server_).gone_away;
  }

private:
  /// Where one direction stands.
  struct Direction {
    std::uint32_t payload_left = 0; ///< of the frame whose header was the last
    std::uint32_t block_stream = 0; ///< whose header block has not ended; 0 outside of blocks
    bool begun = false;             ///< the first SETTINGS have come
    std::optional<ErrorCode> gone_away;
  };

  using Time = std::chrono::nanoseconds;
  using Verdict = std::optional<Error>;

  template <Side>
  Passage walk(std::span<const std::byte> bytes, Time now);
  std::size_t read_settings(std::span<const std::byte> bytes) noexcept;

  Verdict on_client_frame(const Header& header, Time now);
  Verdict on_client_data(const Header& header, Time now);
  Verdict on_client_headers(const Header& header, Time now);
  Verdict on_client_continuation(const Header& header, Time now);
  Verdict on_client_settings(const Header& header, Time now);
  Verdict on_block_part(const Header& header, Time now);
  Verdict on_server_frame(const Header& header, Time now);

  static Verdict charge(Bucket& bucket, const Allowance& allowance, Error flood, Time now) noexcept;
  [[nodiscard]] Verdict check_opened(std::uint32_t stream) const noexcept;
  [[nodiscard]] std::size_t streams_max() const noexcept;

  const Limits* limits_;
  Streams streams_;
  Direction client_;
  Direction server_;

  Bucket resets_;
  Bucket pings_;
  Bucket window_updates_;
  Bucket overhead_;

  // What the server has advertised at most; a client may not know better yet.
  std::uint32_t frame_bytes_max_ = 16384; ///< RFC 9113 §6.5.2
  std::uint32_t advertised_streams_ = 0;  ///< 0: no bound
  std::uint32_t settings_left_ = 0;       ///< bytes of the server's SETTINGS to be read

  std::uint32_t last_stream_ = 0;
  std::size_t block_bytes_ = 0;   ///< of the client's header block
  std::size_t continuations_ = 0; ///< of the client's header block
  std::size_t unacknowledged_bytes_ = 0;
  bool acknowledged_ = false; ///< the client has acknowledged SETTINGS of the server
  bool preface_ = false;      ///< the client's preface has come
};

} // namespace switchyard::http2

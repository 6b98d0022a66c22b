#pragma once

#include <proto/yamux/events.hpp>
#include <proto/yamux/limits.hpp>
#include <proto/yamux/output.hpp>

#include <optional>

namespace switchyard::yamux {

/// Which side of the connection this is: the client dialled and opens odd ids, the server even
/// ones.
enum class Role : std::uint8_t { Client, Server };

/// One yamux conversation, without the socket: bytes and time go in, events and bytes come out.
/// Payload is never kept: on_data hands on what receive() is given. Not thread-safe, never blocks,
/// never reads a clock; a time is nanoseconds since any fixed point.
///
/// The driver writes output() whenever there is some and calls advance() at deadline(). It bounds
/// memory: while output() holds more than it wants to, it stops calling receive(), which adds at
/// most as many bytes of answers as it was given. Then it does not call advance() either, until it
/// has read again: what it did not read may be the answer to a ping.
class Session {
public:
  /// `limits` must outlive the session.
  Session(Role role, const Limits& limits, std::chrono::nanoseconds now);

  /// Takes bytes the peer sent, in any split, and reports what they say. After an error the session
  /// is over: close the connection without writing output().
  [[nodiscard]] boost::system::result<void>
  receive(std::span<const std::byte> bytes, Events& events);

  /// Bytes to put on the wire; valid until the next non-const call.
  [[nodiscard]] std::span<const std::byte> output() const noexcept { return output_.bytes(); }

  /// Says that the first `count` bytes of output() are on the wire.
  void consume_output(std::size_t count) { output_.consume(count); }

  /// Moves output() to the caller, who puts it on the wire before anything that comes later.
  [[nodiscard]] std::vector<std::byte> take_output() { return output_.take(); }

  /// Calls on_writable for streams that wait for room in output(). For the driver, after output()
  /// has become shorter; costs nothing when none waits.
  void resume(Events& events);

  /// Opens a stream; its first bytes may be written at once. Fails with Error::GoingAway,
  /// BacklogFull, StreamLimit or IdsExhausted; the session goes on.
  [[nodiscard]] boost::system::result<std::uint32_t> open();

  /// Sends the ACK for a stream the peer opened. Once a stream; write() and finish() need it first.
  void accept(std::uint32_t stream);

  /// Queues the first bytes of `bytes`, as many as the peer's window and the output's bound allow,
  /// and returns how many. When it takes less than all, on_writable follows.
  [[nodiscard]] std::size_t write(std::uint32_t stream, std::span<const std::byte> bytes);

  /// Finishes our direction: the peer reads to the end. After it no write().
  void finish(std::uint32_t stream);

  /// Drops the stream in both directions.
  void reset(std::uint32_t stream);

  /// Says that `count` bytes from on_data are dealt with, so that the peer may send as many again.
  /// Does nothing for a stream that is gone.
  void consumed(std::uint32_t stream, std::size_t count);

  /// Tells the peer to open no more streams; those it opens nevertheless are answered with RST.
  void go_away(GoAwayCode code);

  /// Asks the peer to open no more streams, and accepts those that it opens before it knows: sends
  /// a ping behind the GoAway, whose answer is on_farewell_heard(). One that opens streams in one
  /// thread and answers pings in another (hashicorp/yamux) may have sent the answer first.
  void say_farewell();

  /// Does what is due at `now`: pings, or fails with Error::KeepAliveTimeout and the session is
  /// over.
  [[nodiscard]] boost::system::result<void> advance(std::chrono::nanoseconds now);

  /// When to call advance() next.
  [[nodiscard]] std::chrono::nanoseconds deadline() const noexcept { return deadline_; }

  /// True while `stream` can be named in a call.
  [[nodiscard]] bool is_open(std::uint32_t stream) const noexcept;

  [[nodiscard]] std::size_t stream_count() const noexcept { return streams_.size(); }

private:
  struct Stream {
    std::uint32_t id;
    std::uint32_t send_window = kWindow;    ///< bytes the peer lets us send
    std::uint32_t receive_window = kWindow; ///< bytes we let the peer send
    std::uint32_t grantable = 0; ///< consumed but not granted; receive_window + it <= kWindow
    bool opened_by_peer = false;
    bool acknowledged = false; ///< the ACK was sent, or has come
    bool finished = false;     ///< we sent FIN
    bool peer_finished = false;
    bool wants_to_write = false; ///< on_writable is owed
  };

  [[nodiscard]] Stream* find(std::uint32_t id) noexcept;
  [[nodiscard]] Stream& at(std::uint32_t id) noexcept;
  Stream& insert(std::uint32_t id);
  void erase(std::uint32_t id);
  void acknowledge(Stream& stream) noexcept;
  void put(FrameType type, std::uint16_t flags, std::uint32_t id, std::uint32_t length);

  boost::system::result<void> on_frame(const Header& header, Events& events);
  boost::system::result<void> on_stream_frame(const Header& header, Events& events);
  boost::system::result<void> on_syn(std::uint32_t id, Events& events);
  boost::system::result<void> on_grant(Stream& stream, std::uint32_t bytes, Events& events);
  void on_payload_end(Events& events);
  boost::system::result<void> on_peer_go_away(std::uint32_t code, Events& events);

  const Limits* limits_;
  std::vector<Stream> streams_; ///< ascending ids
  Output output_;
  std::chrono::nanoseconds deadline_;

  // The frame being received: its header until that is whole, then how much payload is to come.
  std::array<std::byte, kHeaderSize> header_{};
  std::uint8_t header_filled_ = 0;
  bool finish_after_payload_ = false;
  std::uint32_t payload_left_ = 0;
  std::uint32_t payload_stream_ = 0;

  std::uint32_t next_id_;
  std::uint32_t opening_ = 0;    ///< our streams that wait for the peer's ACK
  std::uint32_t unaccepted_ = 0; ///< the peer's streams that wait for ours
  std::uint32_t next_ping_ = 0;
  bool heard_ = false;     ///< the peer has sent something since the last deadline
  bool probing_ = false;   ///< a ping is out, deadline_ is its time limit
  bool held_back_ = false; ///< a stream waits for room in output()
  bool going_away_ = false;
  bool leaving_ = false;
  std::optional<std::uint32_t> farewell_; ///< the ping behind our GoAway, until it is answered
  bool peer_going_away_ = false;
};

} // namespace switchyard::yamux

#pragma once

#include <switchyard/connection.h>

#include <plugins/netrpc/deadlines.hpp>

#include <boost/intrusive/list.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace switchyard::netrpc {

class Loop;

/// One connection as bytes in and bytes out: what tags 0, 4 and 7 and dialled sessions have in
/// common. It reads into the loop's scratch, hands on what came, and writes what has been put out
/// with one call at the end of the turn. It reads no more while a peer takes too little, and ends
/// with a peer that takes nothing. [loop]
///
/// Everything that can happen begins in an entry point and ends in end_turn(), which is where the
/// connection deletes itself; so a derived class may call end() at any depth.
class Connection : public boost::intrusive::list_base_hook<
                       boost::intrusive::link_mode<boost::intrusive::safe_link>> {
public:
  Connection(Loop& loop, sy_connection* connection);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Begins to read. The connection may be gone afterwards.
  void start() { end_turn(); }

  /// Ends when the work in progress is done. The connection may be gone afterwards.
  void drain();

  /// Ends now: the connection is gone afterwards.
  void abort();

  [[nodiscard]] Loop& loop() const noexcept { return loop_; }

  /// "ip:port" of the peer.
  [[nodiscard]] const std::string& remote() const noexcept { return remote_; }

protected:
  virtual ~Connection();

  // What a derived class does.

  /// Bytes came; borrowed.
  virtual void receive(std::span<const std::byte> bytes) = 0;

  /// The peer will send no more.
  virtual void receive_end() = 0;

  /// Finishes what is in progress and then calls finish().
  virtual void begin_drain() = 0;

  /// Bytes that are to go out; valid until the next call of one of these three.
  [[nodiscard]] virtual std::span<const std::byte> output() const = 0;
  virtual void consume_output(std::size_t count) = 0;
  [[nodiscard]] virtual std::vector<std::byte> take_output() = 0;

  /// All of output() is on its way.
  virtual void make_progress() = 0;

  /// False while so much waits, to be written or to be worked on, that nothing should be read.
  [[nodiscard]] virtual bool takes_input() const { return queued() < kQueuedBytesMax; }

  // What it may ask for.

  /// Ends at the end of the turn, without a further byte.
  void end(sy_close_reason reason) noexcept;

  /// Ends once everything is written and the peer has had the time to read it: nothing that comes
  /// is handed on any more.
  void finish(sy_close_reason reason) noexcept;

  [[nodiscard]] bool ending() const noexcept { return end_.has_value() || finish_.has_value(); }

  /// Bytes put out and not taken by the peer.
  [[nodiscard]] std::size_t queued() const { return writing_.size() + output().size(); }

  /// Closes a turn. Called last in an entry point: the connection may be gone afterwards.
  void end_turn();

  /// How much may wait to be written before reading stops.
  static constexpr std::size_t kQueuedBytesMax = 128 * 1024;

private:
  static void readable(void* self, sy_status status, std::size_t transferred);
  static void written(void* self, sy_status status, std::size_t transferred);
  static void overdue(void* self);

  [[nodiscard]] bool may_read() const;
  void read();
  void wait_to_read();
  void flush();
  void say_goodbye();
  void lose(sy_status status) noexcept;

  Loop& loop_;
  sy_connection* connection_;
  std::string remote_;
  std::vector<std::byte> writing_; ///< belongs to the host until written()
  Deadline overdue_;               ///< of writing_, or of the peer's goodbye
  bool waiting_to_read_ = false;
  bool peer_ended_ = false;
  bool said_goodbye_ = false;
  std::optional<sy_close_reason> finish_;
  std::optional<sy_close_reason> end_;
};

} // namespace switchyard::netrpc

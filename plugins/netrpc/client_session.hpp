#pragma once

#include <plugins/netrpc/invocation.hpp>
#include <plugins/netrpc/yamux_connection.hpp>
#include <proto/msgpack/extent.hpp>

#include <optional>
#include <vector>

namespace switchyard::netrpc {

/// A yamux session with another server: one call at a time on each stream, streams used again while
/// all goes well. Deletes itself.
class ClientSession final : public YamuxConnection {
public:
  using Waiting =
      boost::intrusive::list<sy_netrpc_invocation, boost::intrusive::constant_time_size<false>>;

  ClientSession(Loop& loop, sy_connection* connection, ClientPool& pool);

  /// Begins with `waiting`. The session may be gone afterwards.
  void start(Waiting& waiting);

  /// Sends a call; when no stream can be opened any more, through another session. This one may be
  /// gone afterwards.
  void run(sy_netrpc_invocation& invocation);

  /// Forgets a call of its own. The session may be gone afterwards.
  void abandon(sy_netrpc_invocation& invocation);

private:
  struct Stream {
    std::uint32_t id;
    sy_netrpc_invocation::Pointer invocation = {}; ///< null: the stream is idle
    std::uint64_t seq = 0;
    std::vector<std::byte> request = {}; ///< until all of it is put out
    std::size_t sent = 0;
    std::vector<std::byte> answer = {};       ///< what has come of it, when that is not all
    std::optional<msgpack::Extent> body = {}; ///< how far its body is known
  };

  struct Answer {
    std::uint64_t seq;
    std::string_view error;
    std::span<const std::byte> reply;
    std::size_t size; ///< on the wire
  };

  ~ClientSession() override;

  void receive_end() override;
  void begin_drain() override;

  [[nodiscard]] bool takes_input() const override { return true; }

  void on_open(std::uint32_t id) override;
  void on_data(std::uint32_t id, std::span<const std::byte> bytes) override;
  void on_finish(std::uint32_t id) override;
  void on_reset(std::uint32_t id) override;
  void on_writable(std::uint32_t id) override;
  void on_go_away() override;

  void after_receive() override { begin_queued(); }

  void begin_queued();
  void send(Stream& stream, sy_netrpc_invocation& invocation);
  void write_on(Stream& stream);
  [[nodiscard]] boost::system::result<std::optional<Answer>>
  read_answer(Stream& stream, std::span<const std::byte> bytes) const;
  void take_answer(Stream& stream, const Answer& answer, std::size_t received);
  void discard(Stream& stream, sy_status status);
  [[nodiscard]] Stream* find(std::uint32_t id);
  [[nodiscard]] sy_netrpc_invocation::Pointer forget(Stream& stream);
  void retire();
  void rest_if_unused();
  static void unused(void* self);

  ClientPool& pool_;
  std::vector<Stream> streams_;     ///< in no order
  std::vector<std::uint32_t> idle_; ///< the one used last at the end
  Waiting queued_;                  ///< for a stream
  std::size_t calls_ = 0;           ///< with a stream
  std::uint64_t next_seq_ = 1;
  bool retired_ = false;
  Deadline unused_;
};

} // namespace switchyard::netrpc

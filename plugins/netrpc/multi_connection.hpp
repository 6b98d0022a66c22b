#pragma once

#include <plugins/netrpc/conversation.hpp>
#include <plugins/netrpc/yamux_connection.hpp>

namespace switchyard::netrpc {

/// A yamux session with a conversation in each stream: tag 4, ALPN consul/rpc-multi. Deletes
/// itself.
class MultiConnection final : public YamuxConnection, public StreamOwner {
public:
  MultiConnection(Loop& loop, sy_connection* connection);

private:
  /// A stream of the session; one whose conversation is over waits for the peer to finish it too.
  struct Stream {
    std::uint32_t id;
    std::unique_ptr<Conversation> conversation;
  };

  ~MultiConnection() override;

  // Connection
  void receive_end() override;
  void begin_drain() override;
  void make_progress() override;

  // yamux::Events
  void on_open(std::uint32_t id) override;
  void on_data(std::uint32_t id, std::span<const std::byte> bytes) override;
  void on_finish(std::uint32_t id) override;
  void on_reset(std::uint32_t id) override;
  void on_writable(std::uint32_t id) override;

  void on_go_away() override {}

  void on_farewell_heard() override;

  // StreamOwner
  [[nodiscard]] std::size_t write(std::uint32_t id, std::span<const std::byte> bytes) override {
    return session().write(id, bytes);
  }

  void consumed(std::uint32_t id, std::size_t count) override { session().consumed(id, count); }

  [[nodiscard]] bool may_begin() override;
  void hold(std::ptrdiff_t input, std::ptrdiff_t output) override;
  void settle(Conversation& conversation) override;
  void time_out(Conversation& conversation) override;

  [[nodiscard]] const std::string& remote() const noexcept override { return Connection::remote(); }

  [[nodiscard]] std::vector<Stream>::iterator find(std::uint32_t id);
  [[nodiscard]] Conversation* conversation(std::uint32_t id);
  void for_each_conversation(void (*act)(Conversation&));
  void close_if_over(std::uint32_t id);
  void forget(std::uint32_t id);
  void end_conversation(Stream& stream);
  void finish_if_drained();
  void drain_streams();
  void end_farewell();
  static void farewell_over(void* self);

  std::vector<Stream> streams_; ///< ascending ids; the same as the session's
  std::uint32_t conversations_ = 0;
  Deadline farewell_;      ///< of the peer's answer to it, then of what it sent before
  bool draining_ = false;  ///< the peer knows: streams end when their request is answered
  bool left_ = false;      ///< what the peer sent before it knew is here
  bool held_back_ = false; ///< a conversation was told not to begin
  std::ptrdiff_t held_input_ = 0;
  std::ptrdiff_t held_output_ = 0;
};

} // namespace switchyard::netrpc

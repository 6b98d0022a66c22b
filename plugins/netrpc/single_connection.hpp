#pragma once

#include <plugins/netrpc/connection.hpp>
#include <plugins/netrpc/conversation.hpp>

namespace switchyard::netrpc {

/// A connection that is one conversation: tags 0 and 7, ALPN consul/rpc-single. Deletes itself.
class SingleConnection final : public Connection, public StreamOwner {
public:
  SingleConnection(Loop& loop, sy_connection* connection, Audience audience);

private:
  ~SingleConnection() override;

  static void late(void* self);

  void receive(std::span<const std::byte> bytes) override;
  void receive_end() override;
  void begin_drain() override;

  [[nodiscard]] std::span<const std::byte> output() const override { return output_; }

  void consume_output(std::size_t count) override;
  [[nodiscard]] std::vector<std::byte> take_output() override;
  void make_progress() override;
  [[nodiscard]] bool takes_input() const override;

  [[nodiscard]] std::size_t write(std::uint32_t, std::span<const std::byte> bytes) override;

  void consumed(std::uint32_t, std::size_t) override {}

  [[nodiscard]] bool may_begin() override;
  void hold(std::ptrdiff_t input, std::ptrdiff_t output) override;
  void settle(Conversation&) override;
  void time_out(Conversation&) override;

  [[nodiscard]] const std::string& remote() const noexcept override { return Connection::remote(); }

  void finish_if_over();

  std::vector<std::byte> output_;
  Deadline late_; ///< of a first request, once it is drained
  std::ptrdiff_t held_input_ = 0;
  bool waits_for_room_ = false; ///< the conversation has more to write
  Conversation conversation_;   // last: it speaks to the rest until its end
};

} // namespace switchyard::netrpc

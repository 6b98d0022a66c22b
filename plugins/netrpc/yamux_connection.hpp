#pragma once

#include <plugins/netrpc/connection.hpp>
#include <proto/yamux/session.hpp>

namespace switchyard::netrpc {

/// A connection that is a yamux session: its bytes, its keepalive and its end, in either role. What
/// is said in the streams is for the derived class.
class YamuxConnection : public Connection, public yamux::Events {
public:
  YamuxConnection(Loop& loop, sy_connection* connection, yamux::Role role);

protected:
  ~YamuxConnection() override;

  [[nodiscard]] yamux::Session& session() noexcept { return session_; }

  void make_progress() override { session_.resume(*this); }

  /// Everything that came has been reported.
  virtual void after_receive() {}

private:
  void receive(std::span<const std::byte> bytes) final;

  [[nodiscard]] std::span<const std::byte> output() const final { return session_.output(); }

  void consume_output(std::size_t count) final { session_.consume_output(count); }

  [[nodiscard]] std::vector<std::byte> take_output() final { return session_.take_output(); }

  void end_by(boost::system::error_code error);
  static void keep_alive(void* self);

  yamux::Session session_;
  Deadline keep_alive_;
};

} // namespace switchyard::netrpc

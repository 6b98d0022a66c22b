#pragma once

#include <proto/yamux/session.hpp>

#include <tests/peer/socket_pair.hpp>

#include <functional>
#include <map>
#include <string>

namespace switchyard::netrpc::test {

/// The test's end of a yamux connection, in either role, over a socket that blocks.
class YamuxPeer final : public yamux::Events {
public:
  explicit YamuxPeer(peer::Socket socket, yamux::Role role = yamux::Role::Client)
      : socket_{std::move(socket)},
        session_{role, kLimits, std::chrono::nanoseconds{0}},
        role_{role} {}

  /// Opens a stream and writes `bytes` on it.
  std::uint32_t open(std::string_view bytes = {});

  /// `bytes` fit the peer's window.
  void send(std::uint32_t stream, std::string_view bytes);

  void finish(std::uint32_t stream);
  void reset(std::uint32_t stream);
  void go_away();

  /// Waits until `stream` has brought so many bytes; takes them.
  std::string receive(std::uint32_t stream, std::size_t size);

  /// Waits until the other side has finished `stream`, reset it or ended; what came before.
  std::string receive_all(std::uint32_t stream);

  /// Waits for some bytes and takes them; false at the end of the connection.
  bool read();

  /// Reads until `done`, or until the other side ends the connection: then it is false.
  bool read_until(const std::function<bool()>& done);

  /// Waits for the end of the connection.
  void read_to_end() {
    read_until([] { return false; });
  }

  [[nodiscard]] bool was_reset(std::uint32_t stream) { return streams_[stream].reset; }

  [[nodiscard]] bool was_finished(std::uint32_t stream) { return streams_[stream].finished; }

  [[nodiscard]] bool told_to_go() const noexcept { return told_to_go_; }

  [[nodiscard]] peer::Socket& socket() noexcept { return socket_; }

  /// Grants no further window.
  bool miserly = false;

private:
  struct Stream {
    std::string received;
    bool finished = false;
    bool reset = false;
  };

  void on_open(std::uint32_t stream) override;
  void on_data(std::uint32_t stream, std::span<const std::byte> bytes) override;

  void on_finish(std::uint32_t stream) override { streams_[stream].finished = true; }

  void on_reset(std::uint32_t stream) override { streams_[stream].reset = true; }

  void on_writable(std::uint32_t) override {}

  void on_go_away() override { told_to_go_ = true; }

  void flush();

  peer::Socket socket_;
  static constexpr yamux::Limits kLimits{.output_bytes_max = 64 << 20};
  yamux::Session session_;
  yamux::Role role_;
  std::map<std::uint32_t, Stream> streams_;
  bool told_to_go_ = false;
};

} // namespace switchyard::netrpc::test

#pragma once

#include <switchyard/loops.h>

#include <proto/http2/walker.hpp>

#include <boost/intrusive/list.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace switchyard::grpc {

class Loop;

/// One client between the host and gRPC: copies bytes between its connection and our end of the
/// socket pair whose other end gRPC has, and walks along their frames. Reads what is there into the
/// loop's scratch and passes it on with one write; reads no more on one side while the other side
/// takes too little. [loop]
///
/// Everything that can happen begins in an entry point and ends in end_turn(), which is where the
/// connection deletes itself.
class Connection : public boost::intrusive::list_base_hook<
                       boost::intrusive::link_mode<boost::intrusive::safe_link>> {
public:
  /// What Peers knows the client by.
  struct Peer {
    int descriptor;
    std::uint64_t added;
  };

  /// Takes both connections. `limits` outlive this.
  Connection(
      Loop& loop,
      sy_connection* wire,
      sy_connection* inner,
      Peer peer,
      const http2::Limits& limits);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Begins to copy. The connection may be gone afterwards.
  void start();

  /// Asks the client to leave when its calls have ended. The connection may be gone afterwards.
  void drain();

  /// Ends now: the connection is gone afterwards.
  void abort();

private:
  /// One direction.
  struct Flow {
    Connection& connection;
    http2::Side sender;
    sy_connection* from;
    sy_connection* to;
    std::vector<std::byte> writing{};              ///< belongs to the host until written()
    std::array<std::byte, http2::kHeldMax> held{}; ///< what the walker waits for the rest of
    std::uint8_t held_size = 0;
    bool waiting = false; ///< to be told that there is something to read
    bool ended = false;   ///< nothing is passed on any more
  };

  ~Connection();

  static void readable(void* flow, sy_status status, std::size_t transferred);
  static void written(void* flow, sy_status status, std::size_t transferred);
  static void silent(void* self);
  static void stalled(void* self);
  static void ran_out(void* self);

  [[nodiscard]] bool may_read(const Flow& flow) const noexcept;
  void read(Flow& flow);
  void walk(Flow& flow, std::span<const std::byte> bytes);
  void put(Flow& flow, std::span<const sy_bytes> slices);
  void lose(const Flow& flow, const sy_connection* failed, sy_status status);
  void end_flow(Flow& flow);
  void wait_to_read(Flow& flow);

  [[nodiscard]] bool may_say() const noexcept;
  void say_goaway(std::uint32_t last_stream, http2::ErrorCode code, std::string_view why);
  void say_leave();
  void cut(http2::Error error);
  void finish(sy_close_reason reason);
  void say_goodbye();
  void watch_leaving();
  /// Instead of the one before, if there is one.
  void start_timer(sy_timer*& timer, sy_callback fire, std::chrono::nanoseconds delay);
  void stop_timer(sy_timer*& timer) noexcept;
  void close_inner(sy_close_reason reason) noexcept;
  void end() noexcept;
  void end_turn();
  [[nodiscard]] sy_close_reason reason() const noexcept;

  Loop& loop_;
  const Peer peer_;
  http2::Walker walker_;
  Flow inward_;                       ///< client to gRPC
  Flow outward_;                      ///< gRPC to client
  sy_timer* opening_timer_ = nullptr; ///< until the client's first SETTINGS
  sy_timer* stall_timer_ = nullptr;
  sy_timer* end_timer_ = nullptr; ///< of a client that has been told to leave, or of the goodbye
  std::optional<sy_close_reason> finish_; ///< gRPC has gone, and the client is to go, for this
  bool draining_ = false;
  bool leave_wanted_ = false; ///< the client is to be told once a frame may stand
  bool said_goodbye_ = false;
  bool server_left_first_ = false;
  bool inner_deaf_ = false; ///< gRPC has closed its end, perhaps with something to be read first
  bool end_ = false;
};

} // namespace switchyard::grpc

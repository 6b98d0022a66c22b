#pragma once

#include <switchyard/connection.hpp>
#include <switchyard/dial.h>

#include <plugins/raft/driver/config.hpp>
#include <plugins/raft/driver/node.hpp>
#include <proto/raftwire/answer.hpp>

#include <deque>
#include <optional>

namespace switchyard::raft {

class Outbounds;

/// The requests of one kind to one server: dialled when there is one, sent ahead of the answers,
/// which come in the same order. [home]
class Outbound {
public:
  Outbound(Outbounds& all, std::string address, Lane lane);
  ~Outbound();
  Outbound(const Outbound&) = delete;
  Outbound& operator=(const Outbound&) = delete;

  void push(Outgoing request);

  /// Everything that has been asked for fails, and the connection is closed.
  void fail(sy_close_reason reason);

  /// Fails when the oldest request is overdue.
  void advance(Time now);

  [[nodiscard]] Time next_deadline() const noexcept;

  /// True while the host may call it.
  [[nodiscard]] bool dialling() const noexcept { return dialling_; }

  void cancel_dial();

private:
  struct Request {
    Outgoing what;
    Time deadline;
    bool sent = false;
    bool reading = false; ///< from the disk
  };

  static void dialled(void* self, sy_status status, sy_connection* raw, const sy_error* error);
  static void readable(void* self, sy_status status, std::size_t);
  static void written(void* self, sy_status status, std::size_t);

  void dial();
  void write();
  void fill_output();
  void load(Request& request);
  void loaded(SendId id, Bytes bytes);
  void stream_snapshot(Request& request);
  void read();
  void take_answers();

  Outbounds& all_;
  const std::string address_;
  const Lane lane_;
  Connection connection_;
  bool dialling_ = false;
  bool writing_ = false;
  bool waiting_ = false;
  std::deque<Request> requests_; ///< without their answer
  std::size_t unsent_ = 0;       ///< of requests_, at its end
  Bytes output_;
  Bytes input_;
  std::optional<raftwire::AnswerExtent> extent_;
  std::shared_ptr<SnapshotReader> snapshot_; ///< is being sent
  Bytes snapshot_part_;                      ///< read, not yet in the output
  bool snapshot_reading_ = false;
  std::uint64_t generation_ = 0; ///< of the connection, so that late reads find nobody
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true); ///< [home]
};

} // namespace switchyard::raft

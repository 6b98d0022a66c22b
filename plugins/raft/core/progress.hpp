#pragma once

#include <plugins/raft/core/action.hpp>
#include <plugins/raft/core/settings.hpp>

namespace switchyard::raft {

/// What a leader knows of one other server.
struct Progress {
  enum class Mode : std::uint8_t {
    Probe,    ///< one request at a time, until it is known where the logs part
    Pipeline, ///< requests go out ahead of their answers
    Snapshot, ///< one is under way
  };

  std::string address;
  Mode mode = Mode::Probe;
  std::uint64_t next = 1;  ///< the next entry to send
  std::uint64_t match = 0; ///< the last entry known to be durable there

  /// Requests of this number are in flight; when one fails, the others do not count any more.
  std::uint64_t epoch = 0;
  std::uint32_t in_flight = 0;
  Time append_due{};
  Time retry_at{};
  std::uint32_t failures = 0; ///< of replication, in a row

  std::uint32_t heartbeats_in_flight = 0;
  std::uint64_t heartbeat_round = 0; ///< of the last one sent
  Time heartbeat_due{};
  std::uint32_t heartbeat_failures = 0;

  Time last_contact{};
  std::uint64_t confirmed_round = 0; ///< it accepted our leadership in a request of that round

  /// Not 0: no member any more; sent to until it has that entry.
  std::uint64_t leaving_at = 0;
};

/// What a request was sent for, until it is answered.
struct Outstanding {
  std::string server;
  std::uint64_t term = 0;
  std::uint64_t epoch = 0;
  std::uint64_t round = 0;
  Message message;
};

} // namespace switchyard::raft

#pragma once

#include <cstdint>
#include <string>

namespace switchyard::raft {

using CallId = std::uint64_t; ///< the driver's name for a call of the application

enum class Outcome : std::uint8_t {
  Committed,      ///< at CallDone::index; the result is there once that index is applied
  NotLeader,      ///< refused: nothing has happened
  Transferring,   ///< refused: leadership is being handed over
  Busy,           ///< refused: too many calls wait
  Refused,        ///< a change of servers that cannot be made, or not now
  LeadershipLost, ///< unknown: it may have happened, may yet happen, or not
  TimedOut,       ///< the transfer was not taken up; this node leads on
};

/// The end of a call. Every call ends exactly once.
struct CallDone {
  CallId call = 0;
  Outcome outcome = Outcome::Committed;

  /// Of the entry the call made. For a verified read: what to have applied before reading.
  std::uint64_t index = 0;
};

/// One server joins, leaves or gets another role.
struct ServerChange {
  enum class Kind : std::uint8_t {
    AddVoter,    ///< or promotes a nonvoter; of a voter, changes the address
    AddNonvoter, ///< of a voter or nonvoter, changes the address
    Demote,
    Remove,
  };

  Kind kind = Kind::AddVoter;
  std::string id;
  std::string address;              ///< for the two that add
  std::uint64_t previous_index = 0; ///< refuse if the latest configuration has another; 0: any
};

} // namespace switchyard::raft

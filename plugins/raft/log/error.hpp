#pragma once

#include <boost/system/error_code.hpp>

namespace switchyard::raft {

/// Why a log cannot be used. The disk's own errors are the system's.
enum class LogError {
  Damaged = 1,    ///< what was durable cannot be read any more
  SegmentMissing, ///< a file between others is gone
  EntriesMissing, ///< the log does not reach back to the snapshot
  BallotDamaged,  ///< neither of the two records of term and vote can be read
  BallotOutdated, ///< the log has entries of a term that the node has never been in
  Failed,         ///< an earlier write or sync has failed; nothing is written any more
  NoSuchEntry,    ///< asked for an index that is not in the log
};

[[nodiscard]] boost::system::error_code make_error_code(LogError) noexcept;

} // namespace switchyard::raft

template <>
struct boost::system::is_error_code_enum<switchyard::raft::LogError> : std::true_type {};

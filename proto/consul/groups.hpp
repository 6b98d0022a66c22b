#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace switchyard::consul {

// Structures that Go embeds in others: their keys stand among those of the whole.

/// When a record was made and last changed: indexes of the log.
struct RaftIndex {
  std::uint64_t create_index = 0;
  std::uint64_t modify_index = 0;

  friend bool operator==(const RaftIndex&, const RaftIndex&) = default;
};

struct WriteRequest {
  std::string token; ///< of the ACL

  friend bool operator==(const WriteRequest&, const WriteRequest&) = default;
};

/// How a read is to be answered. Agents send the caching ones along; servers ignore them.
struct QueryOptions {
  std::string token;
  std::uint64_t min_query_index = 0;         ///< above 0: wait until the index is greater
  std::chrono::nanoseconds max_query_time{}; ///< for so long at most; 0: Consul's default
  bool allow_stale = false;                  ///< any server may answer from what it has
  bool require_consistent = false;           ///< the leader makes sure first that it leads
  std::string filter;                        ///< an expression on the elements of the answer
  bool use_cache = false;
  std::chrono::nanoseconds max_age{};
  bool must_revalidate = false;
  std::chrono::nanoseconds max_stale_duration{};
  std::chrono::nanoseconds stale_if_error{};

  friend bool operator==(const QueryOptions&, const QueryOptions&) = default;
};

/// What an answer says of itself.
struct QueryMeta {
  std::uint64_t index = 0;                 ///< at least 1; what min_query_index is compared with
  std::chrono::nanoseconds last_contact{}; ///< since this server heard from the leader
  bool known_leader = false;
  std::string consistency_level; ///< filled by agents only

  friend bool operator==(const QueryMeta&, const QueryMeta&) = default;
};

} // namespace switchyard::consul

#pragma once

#include <cstdint>

namespace switchyard::raftwire {

/// The byte before a request. Wire values; source: hashicorp/raft net_transport.go.
enum class RequestType : std::uint8_t {
  AppendEntries = 0,
  RequestVote = 1,
  InstallSnapshot = 2, ///< its Size raw bytes follow the map
  TimeoutNow = 3,
  RequestPreVote = 4, ///< to which versions before 1.7 close the connection
};

} // namespace switchyard::raftwire

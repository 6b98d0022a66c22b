#pragma once

#include <switchyard/connection.h>

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace switchyard::grpc {

/// Who is at the other end of a connection, as the host has found out.
struct Peer {
  std::string remote;      ///< "ip:port"
  std::string server_name; ///< as sy_connection_info.server_name
  std::string peer_names;  ///< as sy_connection_info.peer_names
  bool tls = false;
};

/// Leads from what gRPC knows of a connection, the number of its descriptor, to who is behind it.
/// gRPC closes a descriptor after the last call of its connection has gone, so the number means
/// what it meant for as long as somebody asks for a call's peer. Any thread.
class Peers {
public:
  /// Remembers who is behind a descriptor, instead of who was behind the one before of that number.
  /// Returns what forget() wants.
  std::uint64_t add(int descriptor, const sy_connection_info& info);

  /// Does nothing when the number has been given to another one.
  void forget(int descriptor, std::uint64_t added);

  /// `uri` is as gRPC says it: "fd:NUMBER". What is empty is not known: the connection has ended.
  [[nodiscard]] std::shared_ptr<const Peer> find(std::string_view uri) const;

private:
  struct Known {
    std::uint64_t added;
    std::shared_ptr<const Peer> peer;
  };

  struct Shard {
    std::mutex mutex;
    std::unordered_map<int, Known> peers;
    std::uint64_t next = 1;
  };

  static constexpr std::size_t kShards = 16;

  [[nodiscard]] Shard& shard(int descriptor) const {
    return shards_[static_cast<std::size_t>(descriptor) % kShards];
  }

  mutable std::array<Shard, kShards> shards_;
};

} // namespace switchyard::grpc

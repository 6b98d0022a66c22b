#pragma once

#include <switchyard/connection.h>

#include <array>
#include <atomic>
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

/// Leads from what gRPC knows of a connection, the address of our end of its socket pair, to who
/// is behind it. That address is an abstract Unix name (unix(7)) with a number in it, and with
/// random digits, which nobody else on the machine can take first. Any thread.
class Peers {
public:
  /// Throws Failure when the system gives no random bytes.
  Peers();

  /// Remembers who is behind a connection until forget(). Returns its number.
  [[nodiscard]] std::uint64_t add(const sy_connection_info& info);

  void forget(std::uint64_t number);

  /// Gives `socket`, an unnamed Unix socket, the name of that number. False when that fails.
  [[nodiscard]] bool name(int socket, std::uint64_t number) const;

  /// `uri` is as gRPC says it: "unix-abstract:NAME" or, of a connection that was handed over,
  /// "ipv4:ADDRESS". What is empty is not known: the connection has ended.
  [[nodiscard]] std::shared_ptr<const Peer> find(std::string_view uri) const;

private:
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::uint64_t, std::shared_ptr<const Peer>> peers;
  };

  static constexpr std::size_t kShards = 16;

  [[nodiscard]] Shard& shard(std::uint64_t number) const { return shards_[number % kShards]; }

  std::string prefix_; ///< of every name, without the NUL that makes it abstract
  std::atomic<std::uint64_t> next_{1};
  mutable std::array<Shard, kShards> shards_;
};

} // namespace switchyard::grpc

#include <switchyard/bytes.hpp>

#include <plugins/grpc/peers.hpp>

#include <charconv>

namespace switchyard::grpc {

std::uint64_t Peers::add(int descriptor, const sy_connection_info& info) {
  auto peer = std::make_shared<const Peer>(Peer{
      .remote = info.remote,
      .server_name = std::string{view(info.server_name)},
      .peer_names = std::string{view(info.peer_names)},
      .tls = info.tls != 0});
  auto& shard = this->shard(descriptor);
  const std::lock_guard lock{shard.mutex};
  const auto added = shard.next++;
  shard.peers.insert_or_assign(descriptor, Known{added, std::move(peer)});
  return added;
}

void Peers::forget(int descriptor, std::uint64_t added) {
  auto& shard = this->shard(descriptor);
  const std::lock_guard lock{shard.mutex};
  const auto found = shard.peers.find(descriptor);
  if (found != shard.peers.end() && found->second.added == added) shard.peers.erase(found);
}

std::shared_ptr<const Peer> Peers::find(std::string_view uri) const {
  constexpr std::string_view kScheme = "fd:";
  if (!uri.starts_with(kScheme)) return std::make_shared<const Peer>();
  int descriptor = 0;
  const auto* const end = uri.data() + uri.size();
  const auto [rest, error] = std::from_chars(uri.data() + kScheme.size(), end, descriptor);
  if (error != std::errc{} || rest != end || descriptor < 0) return std::make_shared<const Peer>();
  auto& shard = this->shard(descriptor);
  const std::lock_guard lock{shard.mutex};
  const auto found = shard.peers.find(descriptor);
  return found == shard.peers.end() ? std::make_shared<const Peer>() : found->second.peer;
}

} // namespace switchyard::grpc

#include <switchyard/bytes.hpp>
#include <switchyard/failure.hpp>

#include <plugins/grpc/peers.hpp>

#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <charconv>
#include <cstddef>
#include <cstring>

namespace switchyard::grpc {
namespace {

std::string hexadecimal(std::uint64_t number) {
  char digits[16];
  const auto [end, error] = std::to_chars(std::begin(digits), std::end(digits), number, 16);
  return {std::begin(digits), end};
}

/// Undoes the percent-encoding of a URI's path (RFC 3986 §2.1), which gRPC applies to brackets.
std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    unsigned value = 0;
    const auto* digits = text.data() + at + 1;
    if (text[at] == '%' && at + 2 < text.size() &&
        std::from_chars(digits, digits + 2, value, 16).ptr == digits + 2) {
      decoded.push_back(static_cast<char>(value));
      at += 2;
    } else {
      decoded.push_back(text[at]);
    }
  }
  return decoded;
}

} // namespace

Peers::Peers() {
  std::uint64_t random = 0;
  if (::getrandom(&random, sizeof random, 0) != static_cast<ssize_t>(sizeof random)) {
    throw Failure{SY_INTERNAL, "the system gives no random bytes"};
  }
  prefix_ = "switchyard-grpc-" + hexadecimal(random) + '-';
}

std::uint64_t Peers::add(const sy_connection_info& info) {
  const auto number = next_.fetch_add(1, std::memory_order_relaxed);
  auto peer = std::make_shared<const Peer>(Peer{
      .remote = info.remote,
      .server_name = std::string{view(info.server_name)},
      .peer_names = std::string{view(info.peer_names)},
      .tls = info.tls != 0});
  auto& shard = this->shard(number);
  const std::lock_guard lock{shard.mutex};
  shard.peers.emplace(number, std::move(peer));
  return number;
}

void Peers::forget(std::uint64_t number) {
  auto& shard = this->shard(number);
  const std::lock_guard lock{shard.mutex};
  shard.peers.erase(number);
}

bool Peers::name(int socket, std::uint64_t number) const {
  const auto text = prefix_ + hexadecimal(number);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  static_assert(sizeof address.sun_path > 64);
  std::memcpy(address.sun_path + 1, text.data(), text.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
  return ::bind(socket, reinterpret_cast<const sockaddr*>(&address), size) == 0;
}

std::shared_ptr<const Peer> Peers::find(std::string_view uri) const {
  const auto colon = uri.find(':');
  const auto scheme = uri.substr(0, colon);
  auto rest = colon == std::string_view::npos ? std::string_view{} : uri.substr(colon + 1);
  if (scheme == "ipv4" || scheme == "ipv6") {
    return std::make_shared<const Peer>(Peer{percent_decoded(rest), {}, {}, false});
  }
  std::uint64_t number = 0;
  if (scheme == "unix-abstract" && rest.starts_with(prefix_)) {
    rest.remove_prefix(prefix_.size());
    std::from_chars(rest.data(), rest.data() + rest.size(), number, 16);
  }
  auto& shard = this->shard(number);
  const std::lock_guard lock{shard.mutex};
  const auto found = shard.peers.find(number);
  return found == shard.peers.end() ? std::make_shared<const Peer>() : found->second;
}

} // namespace switchyard::grpc

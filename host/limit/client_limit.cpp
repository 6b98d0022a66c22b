#include <host/limit/client_limit.hpp>

#include <cstring>
#include <string_view>
#include <utility>

namespace switchyard::host {

std::size_t ClientLimit::Hash::operator()(const Address& address) const noexcept {
  if (address.is_v4()) return std::hash<std::uint32_t>{}(address.to_v4().to_uint());
  const auto bytes = address.to_v6().to_bytes();
  return std::hash<std::string_view>{}({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

ClientLimit::Slot::Slot(Slot&& other) noexcept
    : limit_{std::exchange(other.limit_, nullptr)},
      client_{std::exchange(other.client_, nullptr)} {}

ClientLimit::Slot& ClientLimit::Slot::operator=(Slot&& other) noexcept {
  std::swap(limit_, other.limit_);
  std::swap(client_, other.client_);
  return *this;
}

ClientLimit::Slot::~Slot() {
  if (limit_ != nullptr) limit_->give_back(*client_);
}

ClientLimit::Answer ClientLimit::try_acquire(const Address& address) {
  const std::lock_guard lock{mutex_};
  if (connections_ != 0 && open_ >= connections_) return {{}, Refusal::AtCapacity};
  const auto client = clients_.try_emplace(address, 0U).first;
  if (per_client_ != 0 && client->second >= per_client_) return {{}, Refusal::ClientLimit};
  ++client->second;
  ++open_;
  return {Slot{this, &*client}, Refusal::None};
}

void ClientLimit::give_back(Client& client) noexcept {
  const std::lock_guard lock{mutex_};
  --open_;
  if (--client.second == 0) clients_.erase(Address{client.first});
}

void ClientLimit::set(std::uint32_t connections, std::uint32_t connections_per_client) {
  const std::lock_guard lock{mutex_};
  connections_ = connections;
  per_client_ = connections_per_client;
}

std::size_t ClientLimit::open() const {
  const std::lock_guard lock{mutex_};
  return open_;
}

} // namespace switchyard::host

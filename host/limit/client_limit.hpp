#pragma once

#include <boost/asio/ip/address.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace switchyard::host {

/// Caps how many connections are open at once, in all and from one IP address. Any thread.
class ClientLimit {
  using Address = boost::asio::ip::address;

  struct Hash {
    std::size_t operator()(const Address& address) const noexcept;
  };

  using Clients = std::unordered_map<Address, std::uint32_t, Hash>;
  using Client = Clients::value_type;

public:
  /// A place under both limits, given back on destruction.
  class Slot {
  public:
    Slot() = default;
    Slot(Slot&& other) noexcept;
    Slot& operator=(Slot&& other) noexcept;
    ~Slot();

    explicit operator bool() const noexcept { return limit_ != nullptr; }

  private:
    friend ClientLimit;

    Slot(ClientLimit* limit, Client* client) noexcept : limit_{limit}, client_{client} {}

    ClientLimit* limit_ = nullptr;
    Client* client_ = nullptr;
  };

  enum class Refusal : std::uint8_t { None, AtCapacity, ClientLimit };

  struct Answer {
    Slot slot;
    Refusal refusal = Refusal::None;
  };

  /// 0 as a limit means none.
  ClientLimit(std::uint32_t connections, std::uint32_t connections_per_client) noexcept
      : connections_{connections}, per_client_{connections_per_client} {}

  /// A slot for one more connection from `address`, or which of the limits refused it.
  [[nodiscard]] Answer try_acquire(const Address& address);

  /// Changes both for connections from now on; whoever is in stays.
  void set(std::uint32_t connections, std::uint32_t connections_per_client);

  [[nodiscard]] std::size_t open() const;

private:
  void give_back(Client& client) noexcept;

  mutable std::mutex mutex_;
  std::uint32_t connections_;
  std::uint32_t per_client_;
  Clients clients_; // nodes do not move: a Slot points at its own
  std::size_t open_ = 0;
};

} // namespace switchyard::host

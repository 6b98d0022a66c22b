#pragma once

#include <host/config/config.hpp>
#include <host/listen/acceptor.hpp>
#include <host/listen/inherited.hpp>

#include <boost/system/result.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace switchyard::host {

/// The sockets of all listeners of one configuration, one a loop. A value: what two configurations
/// have in common they share. One thread, but for what Acceptor says itself.
class Listening {
public:
  /// Binds the listeners of `config`, one socket a loop of `loops`; those that `before` has already
  /// keep all their sockets, for closing one of several would reset what waits in its queue. Those
  /// of `inherited` are not bound but shared by the loops. Otherwise says what cannot be bound, a
  /// sentence each, and nothing has changed.
  [[nodiscard]] static boost::system::result<Listening, std::vector<std::string>> bind(
      const Config& config,
      std::span<Loop* const> loops,
      const Listening& before,
      const Inherited& inherited = {});

  /// What bind() would say of addresses that somebody else has, without binding any.
  [[nodiscard]] static std::vector<std::string>
  judge(const Config& config, const Listening& before, const Inherited& inherited = {});

  /// Whether the sockets of a listener outlive the process.
  [[nodiscard]] bool outlives() const noexcept;

  /// Positions as in the configuration it was bound for.
  [[nodiscard]] const std::shared_ptr<Acceptor>& at(std::size_t listener, std::size_t loop) const {
    return listeners_[listener].sockets[loop];
  }

  /// The listener has been bound by this bind(), and not taken from `before`.
  [[nodiscard]] bool fresh(std::size_t listener) const { return listeners_[listener].fresh; }

  /// Nothing of it is fresh any more: it is in use.
  void settle() noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return listeners_.size(); }

  /// Where it is bound: "ip:port", with the port that 0 became.
  [[nodiscard]] std::string address(std::size_t listener) const;

  /// How many connections it has taken from the kernel.
  [[nodiscard]] std::uint64_t accepted(std::size_t listener) const;

private:
  struct Listener {
    ListenerConfig config;
    std::vector<std::shared_ptr<Acceptor>> sockets; ///< by loop
    bool fresh = true;
    bool inherited = false;
  };

  [[nodiscard]] const Listener* find(const ListenerConfig& wanted) const;
  [[nodiscard]] bool has_port(std::uint16_t port) const;

  std::vector<Listener> listeners_;
};

/// Both are the same sockets: the same address, and the same name where the port is 0. Pure.
[[nodiscard]] bool same_sockets(const ListenerConfig& a, const ListenerConfig& b);

} // namespace switchyard::host

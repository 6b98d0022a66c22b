#pragma once

#include <host/config/config.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/result.hpp>

#include <optional>
#include <string>
#include <vector>

namespace switchyard::host {

/// Listening sockets that whoever has started this process has bound (systemd's socket activation),
/// and keeps: connections wait in their queues while one server follows another. They stay open for
/// the life of the process. Source: sd_listen_fds(3).
class Inherited {
public:
  /// What LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES say; none where they are not there or mean
  /// another process. Takes them out of the environment, so that no child takes them for its own;
  /// while there is one thread. A sentence when one is no listening TCP socket.
  [[nodiscard]] static boost::system::result<Inherited, std::string> take();

  /// The sockets of the address of `listener`; several where SO_REUSEPORT has let them be.
  [[nodiscard]] std::vector<int> of(const ListenerConfig& listener) const;

  /// A sentence for each socket that no listener of `config` has.
  [[nodiscard]] std::vector<std::string> without_listener(const Config& config) const;

private:
  struct Socket {
    int descriptor;
    std::string name; ///< FileDescriptorName= of the unit
    boost::asio::ip::tcp::endpoint address;
  };

  [[nodiscard]] static std::optional<Socket> look_at(int descriptor, std::string name);

  std::vector<Socket> sockets_;
};

} // namespace switchyard::host

#pragma once

#include <boost/system/result.hpp>
#include <sys/socket.h>
#include <sys/un.h>

#include <string>

namespace switchyard::host {

/// The address of a Unix socket by its path.
struct SocketAddress {
  sockaddr_un value;

  [[nodiscard]] const sockaddr* get() const noexcept {
    return reinterpret_cast<const sockaddr*>(&value);
  }
};

/// Fails with a sentence when `path` does not fit: the system takes 107 bytes (unix(7)).
[[nodiscard]] boost::system::result<SocketAddress, std::string>
socket_address(const std::string& path);

} // namespace switchyard::host

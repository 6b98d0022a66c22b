#include "socket_address.hpp"

#include <algorithm>

namespace switchyard::host {

boost::system::result<SocketAddress, std::string> socket_address(const std::string& path) {
  SocketAddress address{};
  constexpr auto kPathMax = sizeof(address.value.sun_path) - 1;
  if (path.empty() || path.size() > kPathMax) {
    return "the control socket \"" + path + "\" is " + std::to_string(path.size()) +
           " bytes long and the system takes 1 to " + std::to_string(kPathMax) +
           "; name a shorter path";
  }
  address.value.sun_family = AF_UNIX;
  std::ranges::copy(path, address.value.sun_path);
  return address;
}

} // namespace switchyard::host

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace switchyard::host {

/// Where a listener is bound: an IP address and a port, both already understood.
struct Address {
  std::string ip; ///< canonical text, without brackets ("::1")
  std::uint16_t port = 0;
  bool v6 = false;
  bool loopback = false; ///< reachable from this machine only

  friend bool operator==(const Address&, const Address&) = default;
};

/// Reads "127.0.0.1:8300" or "[::1]:8300"; names and zones are not addresses. Pure.
[[nodiscard]] std::optional<Address> parse_address(std::string_view text);

} // namespace switchyard::host

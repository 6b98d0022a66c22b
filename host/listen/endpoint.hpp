#pragma once

#include <host/config/address.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace switchyard::host {

/// "127.0.0.1:8300" or "[::1]:8300" as a TCP endpoint; nothing for a name.
[[nodiscard]] inline std::optional<boost::asio::ip::tcp::endpoint>
parse_endpoint(std::string_view text) {
  const auto address = parse_address(text);
  if (!address) return std::nullopt;
  return boost::asio::ip::tcp::endpoint{boost::asio::ip::make_address(address->ip), address->port};
}

/// The inverse, as an operator writes it.
[[nodiscard]] inline std::string to_string(const boost::asio::ip::tcp::endpoint& endpoint) {
  const auto ip = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + ip + "]" : ip) + ":" + std::to_string(endpoint.port());
}

} // namespace switchyard::host

#include "address.hpp"

#include <arpa/inet.h>

#include <charconv>

namespace switchyard::host {
namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, port);
  if (error != std::errc{} || end != last) return std::nullopt;
  return port;
}

bool is_loopback(const in_addr& ip) {
  return (ntohl(ip.s_addr) >> 24) == 127;
}

bool is_loopback(const in6_addr& ip) {
  if (IN6_IS_ADDR_V4MAPPED(&ip)) return ip.s6_addr[12] == 127;
  return IN6_IS_ADDR_LOOPBACK(&ip);
}

template <int Family, class Ip>
std::optional<Address> address(const std::string& ip, std::uint16_t port) {
  Ip binary{};
  if (inet_pton(Family, ip.c_str(), &binary) != 1) return std::nullopt;

  char canonical[INET6_ADDRSTRLEN];
  inet_ntop(Family, &binary, canonical, sizeof canonical);
  return Address{canonical, port, Family == AF_INET6, is_loopback(binary)};
}

} // namespace

std::optional<Address> parse_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_port(text.substr(colon + 1));
  if (!port) return std::nullopt;

  auto ip = text.substr(0, colon);
  // inet_pton stops at a NUL and would not see what follows it.
  if (ip.find('\0') != std::string_view::npos) return std::nullopt;
  if (ip.size() < 2 || ip.front() != '[') return address<AF_INET, in_addr>(std::string{ip}, *port);
  if (ip.back() != ']') return std::nullopt;
  ip = ip.substr(1, ip.size() - 2);
  return address<AF_INET6, in6_addr>(std::string{ip}, *port);
}

} // namespace switchyard::host

#pragma once

#include <host/config/config.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace switchyard::host {

/// How a proxy reaches the internal gRPC of a server port. Source:
/// proto/sniff/README.md.
enum class ProxyTls : std::uint8_t {
  Clear,  ///< tag 8
  Native, ///< TLS at once, ALPN consul/rpc-grpc; the server always asks for a certificate
  Tagged, ///< tag 3, TLS, tag 8; it asks for one when it verifies whoever comes
};

/// What a proxy is to do.
struct ProxyConfig {
  std::string target;                 ///< of the server port; is_target() holds
  std::string listen = "127.0.0.1:0"; ///< a loopback address: the port asks nobody for a name
  ProxyTls tls = ProxyTls::Clear;
  TlsConfig files; ///< the CA of the server's certificate; what to show when it asks for one
  std::string server_name; ///< SNI and the name in its certificate; empty: any that the CA signed
  std::uint32_t connections = 100;                ///< open at once
  std::chrono::milliseconds dial_timeout{10'000}; ///< until the server can be talked to
};

/// "ip:port", "[ip]:port" or "name:port", the port not 0. Pure.
[[nodiscard]] bool is_target(std::string_view text);

} // namespace switchyard::host

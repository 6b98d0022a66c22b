#pragma once

#include <boost/system/result.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace switchyard::sniff {

/// What a TLS client says in the clear about where it wants to go.
struct ClientHello {
  std::string server_name;       ///< SNI as sent, RFC 6066 §3; empty if there is none
  std::vector<std::string> alpn; ///< names offered, the client's favourite first; RFC 7301 §3.1

  friend bool operator==(const ClientHello&, const ClientHello&) = default;
};

/// A ClientHello may take this many bytes on the wire, record headers included. One with every
/// post-quantum key share in use today stays below 4 KiB.
inline constexpr std::size_t kClientHelloBytesMax = std::size_t{16} << 10;

/// Reads the ClientHello at the start of `bytes`, however many records it is spread over; nullopt
/// while it is cut short. Never nullopt once there are kClientHelloBytesMax bytes. Fails with
/// sniff::Error. Nothing of it is verified: that is TLS's business.
/// Copies what it returns; before that it allocates only for a message in several records. Any
/// thread.
[[nodiscard]] boost::system::result<std::optional<ClientHello>>
parse_client_hello(std::span<const std::byte> bytes);

} // namespace switchyard::sniff

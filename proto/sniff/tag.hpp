#pragma once

#include <cstdint>

namespace switchyard::sniff {

/// The leading bytes the host itself understands; every other tag is a plugin's. Source: consul-wire,
/// "First-byte table".
inline constexpr std::uint8_t kTlsTag = 3;         ///< a ClientHello follows; inside it another tag
inline constexpr std::uint8_t kTlsInsecureTag = 7; ///< the same without client certificate or inner tag

/// The first byte of a TLS handshake record (RFC 8446, 5.1): what native TLS begins with.
[[nodiscard]] constexpr bool is_client_hello(std::uint8_t first) noexcept { return first == 0x16; }

} // namespace switchyard::sniff

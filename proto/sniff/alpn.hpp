#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard::sniff {

/// A name by which native TLS selects the protocol, and the tag that selects the same without TLS.
struct AlpnName {
  std::string_view name;
  std::optional<std::uint8_t> tag; ///< the WAN gossip names have none
};

/// Consul's names in the order in which its server prefers them. Source: README.md, "ALPN".
inline constexpr std::array<AlpnName, 9> kAlpnNames{{
    {"consul/rpc-single", 0},
    {"consul/raft", 1},
    {"consul/rpc-multi", 4},
    {"consul/rpc-snapshot", 5},
    {"consul/rpc-gossip", 6},
    {"consul/rpc-grpc", 8},
    {"consul/raft-forwarding", 9},
    {"consul/wan-gossip/packet", std::nullopt},
    {"consul/wan-gossip/stream", std::nullopt},
}};

/// The tag that means the same as `name`; nullopt for a name that is not Consul's or has none.
[[nodiscard]] std::optional<std::uint8_t> tag_of(std::string_view name) noexcept;

/// The name that means the same as `tag`; empty if there is none (TLS itself, muxado).
[[nodiscard]] std::string_view alpn_of(std::uint8_t tag) noexcept;

/// Takes a list of names apart as it stands in a ClientHello, without the two bytes of its length.
/// nullopt if it is empty, holds an empty name or is cut. Views into `list`. Source: RFC 7301, 3.1.
[[nodiscard]] std::optional<std::vector<std::string_view>> split_alpn(std::string_view list);

/// The first of `ours` that the client offers in `list`, as it stands there; empty if there is none
/// or the list is broken. Then a server ends the handshake with no_application_protocol. RFC
/// 7301, 3.2.
[[nodiscard]] std::string_view
choose_alpn(std::string_view list, std::span<const std::string> ours) noexcept;

} // namespace switchyard::sniff

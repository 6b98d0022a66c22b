#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace switchyard::sniff {

/// The leading byte by which a connection says what it speaks, and what Consul uses it for. The
/// table is of what Consul has assigned: a route may claim any other byte, only not what begins
/// TLS. Source: README.md, "Tags".
struct Tag {
  std::uint8_t byte;
  std::string_view name;
};

inline constexpr std::uint8_t kRpcTag = 0;
inline constexpr std::uint8_t kRaftTag = 1;
inline constexpr std::uint8_t kMultiplexV1Tag = 2; ///< muxado, dead since Consul 0.7
inline constexpr std::uint8_t kTlsTag = 3;         ///< a ClientHello follows; inside it another tag
inline constexpr std::uint8_t kMultiplexTag = 4;   ///< yamux
inline constexpr std::uint8_t kSnapshotTag = 5;
inline constexpr std::uint8_t kGossipTag = 6;      ///< Consul Enterprise
inline constexpr std::uint8_t kTlsInsecureTag = 7; ///< TLS without client certificate or inner tag
inline constexpr std::uint8_t kGrpcTag = 8;
inline constexpr std::uint8_t kRaftForwardingTag = 9;

inline constexpr std::array<Tag, 10> kTags{{
    {kRpcTag, "rpc-single"},
    {kRaftTag, "raft"},
    {kMultiplexV1Tag, "multiplex-v1"},
    {kTlsTag, "tls"},
    {kMultiplexTag, "rpc-multi"},
    {kSnapshotTag, "rpc-snapshot"},
    {kGossipTag, "rpc-gossip"},
    {kTlsInsecureTag, "tls-insecure"},
    {kGrpcTag, "rpc-grpc"},
    {kRaftForwardingTag, "raft-forwarding"},
}};

/// What people call `tag`; empty for one that Consul has not assigned.
[[nodiscard]] std::string_view tag_name(std::uint8_t tag) noexcept;

/// The first byte of a TLS handshake record (RFC 8446, 5.1): what native TLS begins with.
[[nodiscard]] constexpr bool is_client_hello(std::uint8_t first) noexcept {
  return first == 0x16;
}

/// A tag that no protocol can have: 3 is TLS with an inner tag; 0x14 to 0x17 are the types of TLS
/// records (RFC 8446, 5.1).
[[nodiscard]] constexpr bool means_tls(std::uint8_t tag) noexcept {
  return tag == kTlsTag || (tag >= 0x14 && tag <= 0x17);
}

} // namespace switchyard::sniff

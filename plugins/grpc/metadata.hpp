#pragma once

#include <switchyard/grpc/status.h>

#include <string_view>

namespace switchyard::grpc {

/// True for keys that are gRPC's or HTTP's own: services neither see nor send them.
[[nodiscard]] bool is_reserved(std::string_view key) noexcept;

/// True when a service may send `entry`. gRPC ends the process over one that it cannot send.
/// Source: gRPC's PROTOCOL-HTTP2.md, "Custom-Metadata".
[[nodiscard]] bool is_legal(const sy_grpc_metadata_entry& entry) noexcept;

} // namespace switchyard::grpc

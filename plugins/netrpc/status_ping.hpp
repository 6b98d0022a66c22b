#pragma once

#include <switchyard/netrpc/endpoints.h>

#include <string_view>

namespace switchyard::netrpc {

inline constexpr std::string_view kStatusPing = "Status.Ping";

/// The one method of the plugin's own: takes and gives an empty structure. Clients probe a server
/// with it.
[[nodiscard]] sy_netrpc_endpoint status_ping() noexcept;

} // namespace switchyard::netrpc

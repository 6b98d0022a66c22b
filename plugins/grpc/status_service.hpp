#pragma once

#include <switchyard/grpc/services.h>

#include <string_view>

namespace switchyard::grpc {

inline constexpr std::string_view kStatusService = "switchyard.status.v1.Status";

/// The plugin's own service, so that a server answers something without any other plugin. Says
/// `version`, which stays valid.
[[nodiscard]] sy_grpc_service status_service(const char* version) noexcept;

} // namespace switchyard::grpc

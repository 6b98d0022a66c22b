#pragma once

#include <optional>
#include <string_view>

namespace switchyard::netrpc {

/// "Service.Method" taken apart; both point into the name.
struct ServiceMethod {
  std::string_view service;
  std::string_view method;

  friend bool operator==(const ServiceMethod&, const ServiceMethod&) = default;
};

/// Splits at the last dot, as Go does; nullopt without a dot. Either part may be empty.
[[nodiscard]] std::optional<ServiceMethod> split(std::string_view name) noexcept;

} // namespace switchyard::netrpc

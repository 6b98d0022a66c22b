#include <proto/netrpc/service_method.hpp>

namespace switchyard::netrpc {

std::optional<ServiceMethod> split(std::string_view name) noexcept {
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  return ServiceMethod{name.substr(0, dot), name.substr(dot + 1)};
}

} // namespace switchyard::netrpc

#include <plugins/grpc/standard_services.hpp>

#include <utility>

namespace switchyard::grpc {

StandardServices::StandardServices(ServiceTable& table, std::uint32_t reflection)
    : table_{table}, health_{table} {
  add(kHealth, health_.service(), nullptr);
  if (reflection == 0) return;
  for (const auto name : {kReflection, kReflectionAlpha})
    add(name, reflection_.service(name, reflection), nullptr);
}

void StandardServices::add(
    std::string_view name, const sy_grpc_service& service, sy_registration* registration) {
  auto shown = Reflection::read(name, service);
  table_.add(name, service, registration);
  reflection_.add(name, std::move(shown));
  health_.changed();
}

void StandardServices::remove(sy_registration* registration) {
  const auto name = table_.remove(registration);
  reflection_.remove(name);
  health_.changed();
}

} // namespace switchyard::grpc

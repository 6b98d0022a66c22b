#include <plugins/grpc/standard_services.hpp>

#include <google/protobuf/stubs/logging.h>

#include <utility>

namespace switchyard::grpc {

StandardServices::StandardServices(ServiceTable& table, std::uint32_t reflection)
    : table_{table}, health_{table} {
  // protobuf writes to standard error what it thinks of a client's text. For the whole process, and
  // as good for every plugin.
  ::google::protobuf::SetLogHandler(nullptr);
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

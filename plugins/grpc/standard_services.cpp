#include <switchyard/bytes.hpp>

#include <plugins/grpc/standard_services.hpp>

#include <google/protobuf/stubs/logging.h>

#include <string>
#include <utility>
#include <vector>

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

void StandardServices::exchange(
    std::span<sy_registration* const> gone, std::span<const sy_binding> come) {
  std::vector<std::pair<std::string, Reflection::Shown>> shown;
  for (const auto& binding : come) {
    const auto name = view(binding.key);
    const auto& service = *static_cast<const sy_grpc_service*>(binding.entry);
    shown.emplace_back(std::string{name}, Reflection::read(name, service));
  }
  reflection_.exchange(table_.exchange(gone, come), std::move(shown));
  health_.changed();
}

} // namespace switchyard::grpc

#include <switchyard/bytes.hpp>
#include <switchyard/failure.hpp>

#include <plugins/grpc/service_table.hpp>

#include <algorithm>
#include <mutex>
#include <span>
#include <utility>

namespace switchyard::grpc {
namespace {

constexpr std::uint32_t kAnywhere = SY_GRPC_ON_INTERNAL | SY_GRPC_ON_EXTERNAL;

bool is_word(std::string_view text) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  if (text.empty() || !letter(text.front())) return false;
  for (const char c : text) {
    if (!letter(c) && (c < '0' || c > '9')) return false;
  }
  return true;
}

/// Protobuf's identifiers joined by dots.
bool is_dotted(std::string_view name) {
  while (true) {
    const auto dot = name.find('.');
    if (!is_word(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

std::span<const sy_grpc_method* const> methods_of(const sy_grpc_service& service) {
  return {service.methods, service.method_count};
}

void check(std::string_view name, const sy_grpc_service& service) {
  if (!is_dotted(name)) {
    throw Failure{SY_INVALID, "a service is named package.Service, in letters, digits and _"};
  }
  if ((service.flags & kAnywhere) == 0) {
    throw Failure{SY_INVALID, "neither SY_GRPC_ON_INTERNAL nor SY_GRPC_ON_EXTERNAL is set"};
  }
  for (const auto* method : methods_of(service)) {
    const auto called = std::string{view(method->name)};
    if (!is_word(called)) throw Failure{SY_INVALID, "method \"" + called + "\" has no valid name"};
    if (method->call == nullptr) throw Failure{SY_INVALID, "method " + called + " has no function"};
    if (method->kind > SY_GRPC_BIDIRECTIONAL) {
      throw Failure{SY_INVALID, "method " + called + " is of no known kind"};
    }
    const auto same = [&](const auto* other) { return view(other->name) == called; };
    if (std::ranges::count_if(methods_of(service), same) > 1) {
      throw Failure{SY_INVALID, "two methods are named " + called};
    }
  }
}

constexpr std::string_view kTaken = "another service has this name";

std::string path_of(std::string_view service, std::string_view method) {
  return std::string{"/"}.append(service).append("/").append(method);
}

} // namespace

MethodUse::MethodUse(MethodUse&& other) noexcept
    : service_{other.service_},
      method_{other.method_},
      journal_{other.journal_},
      registration_{std::exchange(other.registration_, nullptr)} {}

MethodUse& MethodUse::operator=(MethodUse&& other) noexcept {
  release();
  service_ = other.service_;
  method_ = other.method_;
  journal_ = other.journal_;
  registration_ = std::exchange(other.registration_, nullptr);
  return *this;
}

void MethodUse::release() noexcept {
  if (registration_ != nullptr) journal_->leave(std::exchange(registration_, nullptr));
}

void ServiceTable::add(
    std::string_view name, const sy_grpc_service& service, sy_registration* registration) {
  check(name, service);
  const std::unique_lock lock{mutex_};
  if (services_.contains(name)) throw Failure{SY_EXISTS, std::string{kTaken}};
  put(name, service, registration);
}

std::string ServiceTable::remove(sy_registration* registration) {
  const std::unique_lock lock{mutex_};
  return take(registration);
}

std::vector<std::string>
ServiceTable::exchange(std::span<sy_registration* const> gone, std::span<const sy_binding> come) {
  const auto service_of = [](const sy_binding& binding) -> const sy_grpc_service& {
    return *static_cast<const sy_grpc_service*>(binding.entry);
  };
  for (const auto& binding : come)
    check(view(binding.key), service_of(binding));

  const std::unique_lock lock{mutex_};
  for (const auto& binding : come) {
    const auto known = services_.find(view(binding.key));
    const auto stays = known != services_.end() &&
                       std::ranges::find(gone, known->second.registration) == gone.end();
    const auto same = [&](const auto& other) { return view(other.key) == view(binding.key); };
    if (stays || std::ranges::count_if(come, same) > 1) {
      throw Failure{SY_EXISTS, std::string{kTaken}};
    }
  }
  std::vector<std::string> names;
  for (const auto* registration : gone)
    names.push_back(take(registration));
  for (const auto& binding : come)
    put(view(binding.key), service_of(binding), binding.registration);
  return names;
}

/// With the table locked, and the name free.
void ServiceTable::put(
    std::string_view name, const sy_grpc_service& service, sy_registration* registration) {
  const auto& entry =
      services_.try_emplace(std::string{name}, Service{service, registration}).first->second;
  for (const auto* method : methods_of(service))
    methods_.try_emplace(path_of(name, view(method->name)), Method{&entry, method});
}

/// With the table locked.
std::string ServiceTable::take(const sy_registration* registration) {
  std::erase_if(methods_, [registration](const auto& method) {
    return method.second.service->registration == registration;
  });
  const auto found = std::ranges::find_if(services_, [registration](const auto& service) {
    return service.second.registration == registration;
  });
  return found == services_.end() ? std::string{} : std::move(services_.extract(found).key());
}

std::string ServiceTable::find(std::string_view path, std::uint32_t where, MethodUse& use) const {
  const std::shared_lock lock{mutex_};
  const auto found = methods_.find(path);
  if (found == methods_.end()) return missing(path, where);
  const auto& [service, method] = found->second;
  if ((service->entry.flags & where) == 0) return missing(path, where);
  // One that is going away is as good as gone.
  if (service->registration != nullptr && journal_.enter(service->registration) != SY_OK) {
    return missing(path, where);
  }
  use = MethodUse{service->entry, *method, journal_, service->registration};
  return {};
}

std::string ServiceTable::missing(std::string_view path, std::uint32_t where) const {
  const auto slash = path.rfind('/');
  if (path.empty() || path.front() != '/' || slash == 0) {
    return "malformed method name: \"" + std::string{path} + '"';
  }
  const auto name = std::string{path.substr(1, slash - 1)};
  const auto service = services_.find(name);
  if (service == services_.end() || (service->second.entry.flags & where) == 0) {
    return "unknown service " + name;
  }
  return "unknown method " + std::string{path.substr(slash + 1)} + " for service " + name;
}

Presence ServiceTable::presence(std::string_view name, std::uint32_t where) const {
  const std::shared_lock lock{mutex_};
  const auto found = services_.find(name);
  if (found == services_.end() || (found->second.entry.flags & where) == 0) return Presence::None;
  auto* const registration = found->second.registration;
  if (registration == nullptr) return Presence::Here;
  if (journal_.enter(registration) != SY_OK) return Presence::Leaving;
  journal_.leave(registration);
  return Presence::Here;
}

void ServiceTable::visit(
    std::uint32_t where,
    const std::function<void(std::string_view, const sy_grpc_service&)>& visitor) const {
  const std::shared_lock lock{mutex_};
  for (const auto& [name, service] : services_) {
    if ((service.entry.flags & where) != 0) visitor(name, service.entry);
  }
}

} // namespace switchyard::grpc

#include <host/connection/plugin_place.hpp>
#include <host/connection/trial_number.hpp>
#include <host/services/instance_services.hpp>

namespace switchyard::host {

void detail::GiveBackPlace::operator()(InstanceServices* services) const noexcept {
  services->connection_closed();
}

void count_error(InstanceServices& services, std::uint64_t connection) noexcept {
  if (is_trial(connection)) return;
  services.errors.fetch_add(1, std::memory_order_relaxed);
}

std::string_view plugin_of(const PluginPlace& place) noexcept {
  return place ? std::string_view{place->plugin} : std::string_view{};
}

PluginPlace take_place(InstanceServices& services) noexcept {
  return PluginPlace{services.connection_opened() ? &services : nullptr};
}

PluginPlace take_trial_place(InstanceServices& services) noexcept {
  return PluginPlace{services.trial_opened() ? &services : nullptr};
}

} // namespace switchyard::host

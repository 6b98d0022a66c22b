#include <host/isolate/shown_metrics.hpp>
#include <host/services/instance_services.hpp>
#include <host/services/metrics.hpp>

#include <utility>

namespace switchyard::host {

void ShownMetrics::follow(InstanceServices& services, const Counted& counted) {
  auto& metrics = services.shared.metrics;
  const auto declare = counted.counter ? &Metrics::declare_counter : &Metrics::declare_gauge;
  auto& shown = shown_[counted.name];
  if (shown.metric == nullptr) {
    const auto declared =
        (metrics.*declare)(&services, services.plugin, counted.name, counted.help, &shown.metric);
    if (declared != SY_OK) {
      shown_.erase(counted.name);
      return;
    }
    shown.counter = counted.counter;
  }
  metrics_table().add(shown.metric, counted.value - std::exchange(shown.value, counted.value));
}

void ShownMetrics::begin_anew() {
  for (auto& [name, shown] : shown_) {
    if (!shown.counter) metrics_table().add(shown.metric, -shown.value);
    shown.value = 0;
  }
}

} // namespace switchyard::host

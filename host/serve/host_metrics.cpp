#include <host/serve/host_metrics.hpp>
#include <host/serve/totals.hpp>
#include <host/services/metrics.hpp>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <string_view>
#include <utility>
#include <vector>

namespace switchyard::host {

namespace {

prometheus::MetricFamily family(
    std::string_view name,
    std::string help,
    prometheus::MetricType type,
    std::vector<prometheus::ClientMetric> metrics) {
  return {std::string{kHostPrefix}.append(name), std::move(help), type, std::move(metrics)};
}

prometheus::ClientMetric counted(std::uint64_t value, std::string label, std::string_view of) {
  prometheus::ClientMetric metric;
  metric.label = {{std::move(label), std::string{of}}};
  metric.counter.value = static_cast<double>(value);
  return metric;
}

} // namespace

std::string host_metrics(const Config& config, const Loops& loops, const Listening& listening) {
  const auto sum = totals(loops);
  prometheus::ClientMetric accepted;
  accepted.counter.value = static_cast<double>(sum.accepted);
  prometheus::ClientMetric open;
  open.gauge.value = static_cast<double>(sum.open);
  std::vector<prometheus::ClientMetric> closed;
  for (std::size_t i = 0; i < sum.closed.size(); ++i)
    closed.push_back(counted(sum.closed[i], "reason", to_string(static_cast<CloseReason>(i))));
  std::vector<prometheus::ClientMetric> listeners;
  for (std::size_t i = 0; i < config.listeners.size(); ++i)
    listeners.push_back(counted(listening.accepted(i), "listener", config.listeners[i].name));

  using enum prometheus::MetricType;
  return prometheus::TextSerializer{}.Serialize(
      {family(
           "connections_accepted_total",
           "Connections taken on: accepted, dialled and adopted.",
           Counter,
           {accepted}),
       family("connections_open", "Connections taken on and not closed.", Gauge, {open}),
       family("connections_closed_total", "Connections closed.", Counter, std::move(closed)),
       family(
           "listener_accepted_total",
           "Connections a listener has taken from the kernel.",
           Counter,
           std::move(listeners))});
}

} // namespace switchyard::host

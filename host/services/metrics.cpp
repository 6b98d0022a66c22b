#include <host/services/instance_services.hpp>
#include <host/services/metrics.hpp>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <vector>

struct sy_metric {
  const void* owner;
  std::string name;             ///< as exposed
  prometheus::Counter* counter; ///< one of the two is null
  prometheus::Gauge* gauge;
};

namespace switchyard::host {
namespace {

/// Bounds of what one instance can declare.
constexpr std::size_t kMetricsMax = 1000;
constexpr std::size_t kNameMax = 100;
constexpr std::size_t kHelpMax = 500;

constexpr std::string_view kTotal = "_total";

/// Letters, digits and '_', as the Prometheus data model has it (a colon is for recording rules).
bool allowed(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool valid_name(std::string_view name, bool counter) noexcept {
  if (name.empty() || name.size() > kNameMax || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::ranges::all_of(name, allowed) && name.ends_with(kTotal) == counter;
}

std::string exposed_name(std::string_view plugin, std::string_view name) {
  std::string exposed{"switchyard_"};
  for (const char c : plugin)
    exposed += allowed(c) ? c : '_';
  exposed += '_';
  return exposed += name;
}

} // namespace

struct Metrics::State {
  /// One exposed name. Two instances of a plugin share it, so that a counter goes on where the one
  /// before it ended.
  struct Shared {
    prometheus::Family<prometheus::Counter>* counter = nullptr;
    prometheus::Family<prometheus::Gauge>* gauge = nullptr;
    std::size_t owners = 0;
  };

  prometheus::Registry registry;
  std::mutex mutex;
  std::map<std::string, Shared> names;             ///< guarded by mutex
  std::vector<std::unique_ptr<sy_metric>> metrics; ///< guarded by mutex

  sy_status declare(sy_metric wanted, bool counter, std::string_view help, sy_metric** metric) {
    if (metric == nullptr || help.size() > kHelpMax) return SY_INVALID;
    if (wanted.name.starts_with(kHostPrefix)) return SY_EXISTS;
    const std::lock_guard lock{mutex};
    const auto owned = [&](const auto& known) { return known->owner == wanted.owner; };
    if (std::ranges::count_if(metrics, owned) >= std::ptrdiff_t{kMetricsMax}) return SY_LIMIT;
    if (std::ranges::any_of(
            metrics, [&](const auto& m) { return owned(m) && m->name == wanted.name; })) {
      return SY_EXISTS;
    }

    auto& shared = names[wanted.name]; // of one kind: valid_name() tells counters by their end
    if (counter) {
      shared.counter =
          &prometheus::BuildCounter().Name(wanted.name).Help(std::string{help}).Register(registry);
      wanted.counter = &shared.counter->Add({});
    } else {
      shared.gauge =
          &prometheus::BuildGauge().Name(wanted.name).Help(std::string{help}).Register(registry);
      wanted.gauge = &shared.gauge->Add({});
    }
    ++shared.owners;
    *metric = metrics.emplace_back(std::make_unique<sy_metric>(std::move(wanted))).get();
    return SY_OK;
  }

  void withdraw(const sy_metric& metric) {
    const auto found = names.find(metric.name);
    if (--found->second.owners != 0) return;
    if (found->second.counter != nullptr) {
      registry.Remove(*found->second.counter);
    } else {
      registry.Remove(*found->second.gauge);
    }
    names.erase(found);
  }
};

Metrics::Metrics() : state_{std::make_unique<State>()} {}

Metrics::~Metrics() = default;

sy_status Metrics::declare_counter(
    const void* owner,
    std::string_view plugin,
    std::string_view name,
    std::string_view help,
    sy_metric** metric) {
  if (!valid_name(name, true)) return SY_INVALID;
  return state_->declare({owner, exposed_name(plugin, name), nullptr, nullptr}, true, help, metric);
}

sy_status Metrics::declare_gauge(
    const void* owner,
    std::string_view plugin,
    std::string_view name,
    std::string_view help,
    sy_metric** metric) {
  if (!valid_name(name, false)) return SY_INVALID;
  return state_->declare(
      {owner, exposed_name(plugin, name), nullptr, nullptr}, false, help, metric);
}

void Metrics::withdraw(const void* owner) {
  const std::lock_guard lock{state_->mutex};
  std::erase_if(state_->metrics, [&](const auto& metric) {
    if (metric->owner != owner) return false;
    state_->withdraw(*metric);
    return true;
  });
}

std::vector<Metrics::Sample> Metrics::samples(std::string_view plugin) const {
  const auto prefix = exposed_name(plugin, {});
  std::vector<Sample> all;
  for (const auto& family : state_->registry.Collect()) {
    if (family.metric.empty() || !family.name.starts_with(prefix)) continue;
    const auto counter = family.type == prometheus::MetricType::Counter;
    const auto& metric = family.metric.front(); // they have no labels
    all.push_back(
        {family.name.substr(prefix.size()),
         family.help,
         counter,
         counter ? metric.counter.value : metric.gauge.value});
  }
  return all;
}

std::string Metrics::text() const {
  return prometheus::TextSerializer{}.Serialize(state_->registry.Collect());
}

const sy_metrics& metrics_table() noexcept {
  static constexpr sy_metrics kTable{
      .struct_size = sizeof(sy_metrics),
      .reserved = 0,
      .counter =
          [](const sy_host* host, sy_string name, sy_string help, sy_metric** metric) noexcept {
            auto& services = InstanceServices::of(host);
            if (services.phase != ServicePhase::Init) return sy_status{SY_BUSY};
            return services.shared.metrics.declare_counter(
                &services, services.plugin, {name.data, name.size}, {help.data, help.size}, metric);
          },
      .gauge =
          [](const sy_host* host, sy_string name, sy_string help, sy_metric** metric) noexcept {
            auto& services = InstanceServices::of(host);
            if (services.phase != ServicePhase::Init) return sy_status{SY_BUSY};
            return services.shared.metrics.declare_gauge(
                &services, services.plugin, {name.data, name.size}, {help.data, help.size}, metric);
          },
      .add =
          [](sy_metric* metric, double amount) noexcept {
            if (!std::isfinite(amount)) return;
            if (metric->gauge != nullptr) {
              metric->gauge->Increment(amount);
            } else if (amount >= 0) {
              metric->counter->Increment(amount);
            }
          },
  };
  return kTable;
}

} // namespace switchyard::host

#pragma once

#include <switchyard/metrics.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard::host {

/// The table of SY_METRICS; every function finds its instance through `host`.
[[nodiscard]] const sy_metrics& metrics_table() noexcept;

/// What the names of the host's own metrics start with; no plugin can have such a name.
inline constexpr std::string_view kHostPrefix = "switchyard_host_";

/// All metrics of the process. Any thread.
class Metrics {
public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// Declares "switchyard_<plugin>_<name>" for `owner`, which is whatever identifies an instance.
  /// The metric lives until withdraw(owner). SY_INVALID: the name breaks the Prometheus rules (a
  /// counter ends in "_total", nothing else does); SY_EXISTS: this owner has it, or another has it
  /// with another kind.
  [[nodiscard]] sy_status declare_counter(
      const void* owner,
      std::string_view plugin,
      std::string_view name,
      std::string_view help,
      sy_metric** metric);
  [[nodiscard]] sy_status declare_gauge(
      const void* owner,
      std::string_view plugin,
      std::string_view name,
      std::string_view help,
      sy_metric** metric);

  /// Forgets every metric of `owner`. No add() may come after it.
  void withdraw(const void* owner);

  /// What a metric stands at.
  struct Sample {
    std::string name; ///< as it was declared
    std::string help;
    bool counter = false; ///< a gauge otherwise
    double value = 0;
  };

  /// Those of `plugin`, declared by any owner. For a process that has no other plugin.
  [[nodiscard]] std::vector<Sample> samples(std::string_view plugin) const;

  /// What a scraper reads (Prometheus text exposition format 0.0.4).
  [[nodiscard]] std::string text() const;

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace switchyard::host

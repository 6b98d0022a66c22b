#pragma once

#include <switchyard/host.hpp>

#include <string>
#include <string_view>

namespace switchyard {

/// A number that only rises. Made in init(); its name ends in `_total`. Any thread.
class Counter {
public:
  /// Throws Failure for a name that the host does not take.
  Counter(const Host& host, std::string_view name, std::string_view help)
      : metrics_{&host.require<sy_metrics>()} {
    const auto status = metrics_->counter(host.get(), to_c(name), to_c(help), &metric_);
    if (status != SY_OK) throw Failure{status, "no metric can be named " + std::string{name}};
  }

  void add(double amount = 1) const noexcept { metrics_->add(metric_, amount); }

private:
  const sy_metrics* metrics_;
  sy_metric* metric_ = nullptr;
};

/// A number that rises and falls. Made in init(). Any thread.
class Gauge {
public:
  /// Throws Failure for a name that the host does not take.
  Gauge(const Host& host, std::string_view name, std::string_view help)
      : metrics_{&host.require<sy_metrics>()} {
    const auto status = metrics_->gauge(host.get(), to_c(name), to_c(help), &metric_);
    if (status != SY_OK) throw Failure{status, "no metric can be named " + std::string{name}};
  }

  /// `amount` may be negative.
  void add(double amount) const noexcept { metrics_->add(metric_, amount); }

private:
  const sy_metrics* metrics_;
  sy_metric* metric_ = nullptr;
};

} // namespace switchyard

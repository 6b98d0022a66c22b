#pragma once

#include <switchyard/metrics.h>

#include <cstdint>

namespace switchyard::netrpc {

/// What the plugin counts, as the host keeps it.
class Metrics {
public:
  /// Declares them; throws Failure. [control], in init()
  Metrics(const sy_host* host, const sy_metrics& table);

private:
  friend class Count;

  const sy_metrics& table_;
  sy_metric* requests_ = nullptr;
  sy_metric* errors_ = nullptr;
  sy_metric* sessions_ = nullptr;
  sy_metric* streams_ = nullptr;
  sy_metric* client_calls_ = nullptr;
  sy_metric* client_sessions_ = nullptr;
};

/// What one loop has counted since it last told the host, so that a request costs no atomic
/// operation. [loop]
class Count {
public:
  explicit Count(const Metrics& metrics) noexcept : metrics_{metrics} {}

  /// Adds to the metrics and begins at 0 again.
  void publish() noexcept;

  std::int32_t requests = 0;
  std::int32_t errors = 0;
  std::int32_t sessions = 0;
  std::int32_t streams = 0;
  std::int32_t client_calls = 0;
  std::int32_t client_sessions = 0;

private:
  void add(sy_metric* metric, std::int32_t& amount) const noexcept;

  const Metrics& metrics_;
};

} // namespace switchyard::netrpc

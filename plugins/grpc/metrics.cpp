#include <switchyard/bytes.hpp>
#include <switchyard/failure.hpp>

#include <plugins/grpc/metrics.hpp>

#include <string>
#include <string_view>

namespace switchyard::grpc {
namespace {

using Declare = decltype(sy_metrics::counter);

sy_metric*
declare(Declare declare, const sy_host* host, std::string_view name, std::string_view help) {
  sy_metric* metric = nullptr;
  const auto status = declare(host, to_c(name), to_c(help), &metric);
  if (status != SY_OK) throw Failure{status, "the host refuses the metric " + std::string{name}};
  return metric;
}

} // namespace

Metrics::Metrics(const sy_host* host, const sy_metrics& table)
    : table_{table},
      calls_{declare(table.counter, host, "calls_total", "Calls answered")},
      failures_{
          declare(table.counter, host, "failures_total", "Calls with another status than OK")},
      calls_running_{declare(table.gauge, host, "calls", "Calls in progress")},
      connections_{declare(table.gauge, host, "connections", "Connections behind the walker")},
      direct_{declare(table.counter, host, "direct_total", "Connections handed over to gRPC")},
      floods_{declare(table.counter, host, "floods_total", "Connections cut for a flood")},
      violations_{
          declare(table.counter, host, "violations_total", "Connections cut for breaking HTTP/2")} {
}

} // namespace switchyard::grpc

#include <switchyard/bytes.hpp>
#include <switchyard/failure.hpp>

#include <plugins/netrpc/metrics.hpp>

#include <utility>

namespace switchyard::netrpc {
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
      requests_{declare(table.counter, host, "requests_total", "Requests answered or dropped")},
      errors_{declare(table.counter, host, "errors_total", "Requests answered with an error text")},
      sessions_{declare(table.gauge, host, "sessions", "Connections from clients")},
      streams_{declare(table.gauge, host, "streams", "Conversations with clients")},
      client_calls_{declare(table.counter, host, "client_calls_total", "Calls of other servers")},
      client_sessions_{
          declare(table.gauge, host, "client_sessions", "yamux sessions with other servers")} {}

void Count::publish() noexcept {
  add(metrics_.requests_, requests);
  add(metrics_.errors_, errors);
  add(metrics_.sessions_, sessions);
  add(metrics_.streams_, streams);
  add(metrics_.client_calls_, client_calls);
  add(metrics_.client_sessions_, client_sessions);
}

void Count::add(sy_metric* metric, std::int32_t& amount) const noexcept {
  if (amount != 0) metrics_.table_.add(metric, std::exchange(amount, 0));
}

} // namespace switchyard::netrpc

#pragma once

#include <host/listen/listening.hpp>
#include <host/serve/stages.hpp>

#include <string>

namespace switchyard::host {

/// What the host itself counts, in the Prometheus exposition format: the counters of status under
/// the prefix that no plugin can have. Any thread.
[[nodiscard]] std::string
host_metrics(const Config& config, const Loops& loops, const Listening& listening);

} // namespace switchyard::host

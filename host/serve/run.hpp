#pragma once

#include <host/config/config.hpp>

namespace switchyard::host {

/// Serves `config` until SIGTERM or SIGINT; SIGHUP reads the certificates anew. The exit code: 0
/// after an orderly end, 1 when it could not start (every reason on stderr, a sentence each).
[[nodiscard]] int run(const Config& config);

} // namespace switchyard::host

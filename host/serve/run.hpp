#pragma once

#include <host/config/config.hpp>

#include <functional>
#include <string>
#include <vector>

namespace switchyard::host {

/// Told why a server cannot start, a sentence each, before what it had begun is ended.
using Complain = std::function<void(const std::vector<std::string>& sentences)>;

/// Serves `config` until SIGTERM or SIGINT; SIGHUP reloads its file. The exit code: 0 after an
/// orderly end, 1 when it could not start.
[[nodiscard]] int run(const Config& config, const Complain& complain);

} // namespace switchyard::host

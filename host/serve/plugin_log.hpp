#pragma once

#include <host/log/log.hpp>
#include <host/services/plugin_log.hpp>

namespace switchyard::host {

/// Leads the lines of plugins to `log` as component "plugin.NAME", sampled by plugin and level
/// below error. `log` outlives it.
[[nodiscard]] PluginLog make_plugin_log(Log& log);

} // namespace switchyard::host

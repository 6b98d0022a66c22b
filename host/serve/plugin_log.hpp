#pragma once

#include <host/log/log.hpp>
#include <host/log/sampler.hpp>
#include <host/services/plugin_log.hpp>

#include <functional>

namespace switchyard::host {

/// Leads the lines of plugins to `log` as component "plugin.NAME": of one plugin, level and phrase
/// (the words before the first key=value) ten a second, errors like the rest, and then how many
/// more there were. `log` outlives it.
[[nodiscard]] PluginLog
make_plugin_log(Log& log, std::function<Sampler::Clock::time_point()> now = Sampler::Clock::now);

} // namespace switchyard::host

#pragma once

#include <host/config/config.hpp>

#include <boost/json/array.hpp>

namespace switchyard::host {

/// What can be said of the plugins of `config` while no server runs: name, library, the state "not
/// running" and, where the plugin would be refused, why. Tries each plugin as `check` does.
[[nodiscard]] boost::json::array plugins_offline(const Config& config);

} // namespace switchyard::host

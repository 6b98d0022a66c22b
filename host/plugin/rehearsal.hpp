#pragma once

#include <host/plugin/instance.hpp>

#include <string>

namespace switchyard::host {

/// Runs init and start of `plugin` with its `config` in a process of its own, which is ended again.
/// What crashes, hangs or fails there is refused. On the caller of the control thread.
[[nodiscard]] OrRefusal<void>
rehearse(const PluginEnvironment& around, IsolatedPlugin plugin, std::string config);

} // namespace switchyard::host

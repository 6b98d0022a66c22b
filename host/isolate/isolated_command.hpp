#pragma once

#include <string_view>

namespace switchyard::host {

/// argv[1] with which a program runs as the process of an isolated plugin.
inline constexpr std::string_view kIsolatedCommand = "run-isolated-plugin";

/// Descriptor of the control channel there; on 0 it has its request, on 1 and 2 what the plugin
/// writes.
inline constexpr int kIsolatedControl = 3;

} // namespace switchyard::host

#pragma once

#include <string_view>

namespace switchyard::host {

/// argv[1] with which a program runs as the trial process of a plugin.
inline constexpr std::string_view kProbeCommand = "probe-plugin";

/// Descriptor on which the trial process answers; on 0 it has its request, on 1 and 2 what the
/// plugin writes.
inline constexpr int kProbeAnswer = 3;

/// The trial process: reads a request as JSON from descriptor 0, writes to kProbeAnswer a line for
/// each step it begins and, last, its verdict. For main(), before anything else. Does not return to
/// its caller's destructors: the plugin's are none of our business.
[[noreturn]] void run_probe();

} // namespace switchyard::host

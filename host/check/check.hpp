#pragma once

#include <host/check/finding.hpp>

#include <functional>

namespace switchyard::host {

/// Puts a plugin through every case, one after the other; `told` hears of each as it is over.
/// Blocks, for minutes at most unless the trial asks for very many swaps. The program hands argv[1]
/// == kServedCommand to serve_on_trial(), and kProbeCommand to run_probe().
[[nodiscard]] CheckReport
check_plugin(const PluginCheck& trial, const std::function<void(const CaseResult&)>& told);

} // namespace switchyard::host

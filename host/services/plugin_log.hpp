#pragma once

#include <switchyard/host.h>

#include <cstddef>
#include <functional>
#include <string_view>

namespace switchyard::host {

/// Where the lines of plugins go. Both functions are called on any thread.
struct PluginLog {
  /// One line without control characters, at most kLogLineMax bytes.
  std::function<void(std::string_view plugin, sy_log_level level, std::string_view line)> write;
  std::function<bool(sy_log_level level)> enabled;
};

inline constexpr std::size_t kLogLineMax = 2048;

} // namespace switchyard::host

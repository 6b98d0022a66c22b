#pragma once

#include <host/services/instance_services.hpp>

#include <cstring>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard::host {

inline sy_string text(std::string_view s) {
  return {s.data(), s.size()};
}

inline sy_error empty_error() {
  return {sizeof(sy_error), SY_OK, {}};
}

/// The services of a process whose log is a list of lines.
struct LoggedServices {
  std::mutex mutex;
  std::vector<std::string> lines;
  sy_log_level lowest = SY_LOG_INFO;
  Services services;

  explicit LoggedServices(std::chrono::milliseconds removal_limit = std::chrono::seconds{60})
      : services{
            PluginLog{
                [this](std::string_view plugin, sy_log_level level, std::string_view line) {
                  const std::lock_guard lock{mutex};
                  lines.push_back(
                      std::string{plugin} + ' ' + std::to_string(level) + ' ' + std::string{line});
                },
                [this](sy_log_level level) { return level >= lowest; }},
            removal_limit} {}
};

} // namespace switchyard::host

#include <host/log/sampler.hpp>
#include <host/serve/plugin_log.hpp>

#include <spdlog/spdlog.h>

#include <memory>
#include <mutex>
#include <string>

namespace switchyard::host {

namespace {

constexpr std::uint32_t kLinesPerSecond = 50; // of one plugin and level

spdlog::level::level_enum level_of(sy_log_level level) {
  switch (level) {
  case SY_LOG_TRACE: return spdlog::level::trace;
  case SY_LOG_DEBUG: return spdlog::level::debug;
  case SY_LOG_INFO: return spdlog::level::info;
  case SY_LOG_WARN: return spdlog::level::warn;
  default: return spdlog::level::err;
  }
}

/// What all plugins write through.
struct Sampled {
  explicit Sampled(Log& log_) : log{log_} {}

  Log& log;
  std::mutex mutex;
  Sampler sampler{kLinesPerSecond};

  void write(std::string_view plugin, sy_log_level level, std::string_view line) {
    const auto component = log.component("plugin." + std::string{plugin});
    const auto severity = level_of(level);
    if (severity < spdlog::level::err) {
      const std::lock_guard lock{mutex};
      const auto now = Sampler::Clock::now();
      for (const auto& [kind, lines] : sampler.suppressed(now))
        component->warn("lines held back kind={} lines={}", kind, lines);
      const auto name = spdlog::level::to_string_view(severity);
      if (!sampler.admit(std::string{plugin} + "/" + std::string{name.data(), name.size()}, now))
        return;
    }
    component->log(severity, "{}", line);
  }
};

} // namespace

PluginLog make_plugin_log(Log& log) {
  const auto sampled = std::make_shared<Sampled>(log);
  return {
      [sampled](std::string_view plugin, sy_log_level level, std::string_view line) {
        sampled->write(plugin, level, line);
      },
      [component = log.component("plugin")](sy_log_level level) {
        return component->should_log(level_of(level));
      }};
}

} // namespace switchyard::host

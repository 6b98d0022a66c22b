#include <host/serve/plugin_log.hpp>

#include <spdlog/spdlog.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace switchyard::host {

namespace {

// Of one plugin: so many lines of one level and phrase, and so many of these counted apart.
constexpr std::uint32_t kLinesPerSecond = 10;
constexpr std::size_t kPhrasesMax = 15;
constexpr std::size_t kPhraseSizeMax = 80;

spdlog::level::level_enum level_of(sy_log_level level) {
  switch (level) {
  case SY_LOG_TRACE: return spdlog::level::trace;
  case SY_LOG_DEBUG: return spdlog::level::debug;
  case SY_LOG_INFO: return spdlog::level::info;
  case SY_LOG_WARN: return spdlog::level::warn;
  default: return spdlog::level::err;
  }
}

/// What a line has in common with others of its place in the code: its words before the first
/// key=value.
std::string_view phrase_of(std::string_view line) {
  if (const auto equals = line.find('='); equals != line.npos) {
    const auto key = line.rfind(' ', equals);
    line = line.substr(0, key == line.npos ? 0 : key);
  }
  return line.substr(0, kPhraseSizeMax);
}

/// What all plugins write through.
class Sampled {
public:
  Sampled(Log& log, std::function<Sampler::Clock::time_point()> now)
      : log_{log}, now_{std::move(now)} {}

  ~Sampled() {
    for (auto& [plugin, sampler] : samplers_)
      tell(plugin, sampler.suppressed(Sampler::Clock::time_point::max()));
  }

  Sampled(const Sampled&) = delete;
  Sampled& operator=(const Sampled&) = delete;

  void write(std::string_view plugin, sy_log_level level, std::string_view line) {
    const auto severity = level_of(level);
    const auto name = spdlog::level::to_string_view(severity);
    const auto phrase = phrase_of(line);
    std::string kind{name.data(), name.size()};
    kind.append(": ").append(phrase);

    std::unique_lock lock{mutex_};
    auto& sampler = sampler_of(plugin);
    const auto now = now_();
    const auto suppressed = sampler.suppressed(now);
    const auto admitted = sampler.admit(kind, now);
    lock.unlock();
    tell(plugin, suppressed);
    if (admitted) logger(plugin)->log(severity, "{}", line);
  }

private:
  /// One a plugin: none is silenced by another.
  Sampler& sampler_of(std::string_view plugin) {
    const auto known = samplers_.find(plugin);
    if (known != samplers_.end()) return known->second;
    return samplers_.try_emplace(std::string{plugin}, kLinesPerSecond, kPhrasesMax).first->second;
  }

  std::shared_ptr<spdlog::logger> logger(std::string_view plugin) {
    return log_.component("plugin." + std::string{plugin});
  }

  void tell(std::string_view plugin, const std::vector<Sampler::Suppressed>& suppressed) {
    for (const auto& [kind, lines] : suppressed)
      logger(plugin)->warn("{} more suppressed line=\"{}\"", lines, kind);
  }

  Log& log_;
  const std::function<Sampler::Clock::time_point()> now_;
  std::mutex mutex_;
  std::map<std::string, Sampler, std::less<>> samplers_;
};

} // namespace

PluginLog make_plugin_log(Log& log, std::function<Sampler::Clock::time_point()> now) {
  const auto sampled = std::make_shared<Sampled>(log, std::move(now));
  return {
      [sampled](std::string_view plugin, sy_log_level level, std::string_view line) {
        sampled->write(plugin, level, line);
      },
      [component = log.component("plugin")](sy_log_level level) {
        return component->should_log(level_of(level));
      }};
}

} // namespace switchyard::host

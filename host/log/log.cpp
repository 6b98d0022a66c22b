#include "log.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ansicolor_sink.h>
#include <sys/stat.h>

#include <unistd.h>

namespace switchyard::host {
namespace {

/// The text of a line without what could end it or steer a terminal: names in it come from peers.
class OneLine final : public spdlog::custom_flag_formatter {
public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& line)
      override {
    constexpr char kHex[] = "0123456789abcdef";
    for (const char c : message.payload) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte >= 0x20 && byte != 0x7f) {
        line.push_back(c);
      } else {
        const char escaped[] = {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
        line.append(escaped, escaped + sizeof escaped);
      }
    }
  }

  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<OneLine>();
  }
};

/// "<4>": the priority of syslog(3), as sd-daemon(3) wants it in front of a line.
class Priority final : public spdlog::custom_flag_formatter {
public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& line)
      override {
    constexpr char kPriorities[] = {'7', '7', '6', '4', '3', '2', '2'};
    const char prefix[] = {'<', kPriorities[message.level], '>'};
    line.append(prefix, prefix + sizeof prefix);
  }

  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<Priority>();
  }
};

std::unique_ptr<spdlog::formatter> formatter(LogFormat format) {
  auto pattern = std::make_unique<spdlog::pattern_formatter>();
  pattern->add_flag<OneLine>('*').add_flag<Priority>('&').set_pattern(
      format == LogFormat::Journal ? "%&%n: %*" : "%Y-%m-%dT%H:%M:%S.%e%z %^%-7l%$ %n: %*");
  return pattern;
}

} // namespace

LogFormat log_format(int descriptor, const char* journal_stream) {
  if (isatty(descriptor) == 1) return LogFormat::Terminal;

  struct stat status {};

  if (journal_stream != nullptr && fstat(descriptor, &status) == 0 &&
      journal_stream == std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino)) {
    return LogFormat::Journal;
  }
  return LogFormat::Plain;
}

spdlog::level::level_enum log_level(std::string_view name) {
  if (name == "trace") return spdlog::level::trace;
  if (name == "debug") return spdlog::level::debug;
  if (name == "warn") return spdlog::level::warn;
  if (name == "error") return spdlog::level::err;
  return spdlog::level::info;
}

Log::Log(spdlog::level::level_enum level, LogFormat format, std::FILE* stream)
    : level_{level},
      sink_{std::make_shared<spdlog::sinks::ansicolor_sink<spdlog::details::console_mutex>>(
          stream,
          format == LogFormat::Terminal ? spdlog::color_mode::always : spdlog::color_mode::never)} {
  sink_->set_formatter(formatter(format));
}

Log::~Log() = default;

void Log::set_level(spdlog::level::level_enum level) {
  const std::lock_guard lock{mutex_};
  level_ = level;
  for (const auto& [name, logger] : components_)
    logger->set_level(level);
}

std::shared_ptr<spdlog::logger> Log::component(std::string_view name) {
  const std::lock_guard lock{mutex_};
  if (const auto known = components_.find(name); known != components_.end()) return known->second;

  auto logger = std::make_shared<spdlog::logger>(std::string{name}, sink_);
  logger->set_level(level_);
  return components_.emplace(name, std::move(logger)).first->second;
}

} // namespace switchyard::host

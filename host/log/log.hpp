#pragma once

#include <spdlog/common.h>
#include <spdlog/fwd.h>

#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace switchyard::host {

/// How a line looks, after what reads it.
enum class LogFormat : std::uint8_t {
  Terminal, ///< time, level in colour, component, text
  Plain,    ///< the same without colour
  Journal,  ///< sd-daemon(3): "<6>" for the priority; the journal adds the time itself
};

/// What reads `descriptor`. `journal_stream` is the variable JOURNAL_STREAM of the environment, or
/// null; it names the device and inode that lead to the journal (systemd.exec(5)).
[[nodiscard]] LogFormat log_format(int descriptor, const char* journal_stream);

/// The level with this name in plugins.toml ("warn"); Info for a name that is none.
[[nodiscard]] spdlog::level::level_enum log_level(std::string_view name);

/// The process's log: lines of every component go to one stream. Any thread.
class Log {
public:
  /// `stream` outlives the log and every logger made by it.
  Log(spdlog::level::level_enum level, LogFormat format, std::FILE* stream = stderr);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// The logger of one component: "listen", "tls", "route", "plugin.netrpc". One for each name.
  [[nodiscard]] std::shared_ptr<spdlog::logger> component(std::string_view name);

  /// Of every component, from now on.
  void set_level(spdlog::level::level_enum level);

private:
  spdlog::level::level_enum level_;
  std::shared_ptr<spdlog::sinks::sink> sink_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<spdlog::logger>, std::less<>> components_;
};

} // namespace switchyard::host

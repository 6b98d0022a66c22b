#pragma once

#include <switchyard/plugin.h>

#include <host/plugin/verify.hpp>

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace switchyard::host {

/// A generation whose code is to run in a process of its own.
struct IsolatedPlugin {
  std::string name;   ///< in plugins.toml
  std::string path;   ///< of the source, for sentences
  std::string staged; ///< of the copy that is loaded
  std::uint32_t generation = 0;
  VerifiedPlugin verified;
};

/// How its process is.
struct IsolatedStanding {
  pid_t process = 0;          ///< 0: there is none now
  std::uint64_t restarts = 0; ///< since it was active
  std::string last_end;       ///< how the last one ended by itself, a clause; empty: none has
};

/// What the stand-in of an isolated plugin may take beyond limits.control_timeout.
inline constexpr std::chrono::milliseconds kStandInMargin{2'000};

/// What stands in for the code of such a generation: functions that have it done over there. Those
/// of the control thread return within limits.control_timeout, whatever the process does.
class IsolatedCode {
public:
  IsolatedCode() = default;
  virtual ~IsolatedCode() = default;
  IsolatedCode(const IsolatedCode&) = delete;
  IsolatedCode& operator=(const IsolatedCode&) = delete;

  /// `init` finds handle() in `*instance`; `serve` takes connections of every mode and
  /// `serve_descriptor` is null; so are `check_config`, and what is of interfaces and of exclusive
  /// plugins.
  [[nodiscard]] virtual const sy_plugin& api() const noexcept = 0;
  [[nodiscard]] virtual sy_instance* handle() noexcept = 0;

  /// Any thread.
  [[nodiscard]] virtual IsolatedStanding standing() const = 0;
};

/// Makes one; the process is started by its `init`. host/isolate is it.
using Isolate = std::function<std::unique_ptr<IsolatedCode>(IsolatedPlugin plugin)>;

} // namespace switchyard::host

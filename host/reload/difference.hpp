#pragma once

#include <host/config/config.hpp>
#include <host/config/config_error.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace switchyard::host {

/// One thing in which two configurations differ, in the words of the operator.
struct Change {
  std::string what;   ///< "plugin", "listener" or "setting"
  std::string name;   ///< of the plugin or listener; of a setting its key, "limits.spin"
  std::string change; ///< "added", "removed", "changed", "swapped" or "rerouted"
  std::string
      from{}; ///< of a setting its value, of a listener its address, of a plugin its version
  std::string to{};

  friend bool operator==(const Change&, const Change&) = default;
};

/// What a reload has to do about the plugins: positions in the configuration that comes.
struct PluginDifference {
  std::vector<std::size_t> added;
  std::vector<std::size_t> changed;   ///< another library, configuration or pin: a new generation
  std::vector<std::size_t> unchanged; ///< perhaps but for its routes; its file may be another
  std::vector<std::string> removed;

  friend bool operator==(const PluginDifference&, const PluginDifference&) = default;
};

struct Difference {
  std::vector<Change> changes; ///< all that the configurations alone tell
  PluginDifference plugins;
  std::vector<Problem> fixed; ///< what cannot change while the server runs
};

/// What `after` changes of `before`. Pure.
[[nodiscard]] Difference difference(const Config& before, const Config& after);

} // namespace switchyard::host

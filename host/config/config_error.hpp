#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace switchyard::host {

/// One thing that is wrong in plugins.toml, for the operator.
struct Problem {
  std::uint32_t line = 0; ///< from 1; 0 when it belongs to the whole file
  std::string key;        ///< path of the key ("limits.spin"); may be empty
  std::string text;       ///< what is wrong and what would be right

  friend bool operator==(const Problem&, const Problem&) = default;
};

/// Everything that is wrong in one plugins.toml, in the order of its lines. Never empty.
struct ConfigError {
  std::string file;
  std::vector<Problem> problems;
};

/// "plugins.toml:12: limits.spin: takes a duration …", without a newline.
[[nodiscard]] std::string describe(const std::string& file, const Problem& problem);

/// Every problem described, one a line, each line ended.
[[nodiscard]] std::string describe(const ConfigError& error);

} // namespace switchyard::host

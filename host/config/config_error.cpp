#include "config_error.hpp"

namespace switchyard::host {

std::string describe(const std::string& file, const Problem& problem) {
  auto line = file;
  if (problem.line != 0) line += ":" + std::to_string(problem.line);
  line += ": ";
  if (!problem.key.empty()) line += problem.key + ": ";
  return line + problem.text;
}

std::string describe(const ConfigError& error) {
  std::string lines;
  for (const auto& problem : error.problems)
    lines += describe(error.file, problem) + "\n";
  return lines;
}

} // namespace switchyard::host

#pragma once

#include <host/command/commands.hpp>
#include <host/config/config_error.hpp>

#include <boost/json/fwd.hpp>

#include <string>
#include <vector>

namespace switchyard::host {

/// Writes `text` to stdout as it is.
void print(const std::string& text);

/// Writes `value` to stdout, in one line.
void print(const boost::json::object& value);

/// Says why a command ends without what was asked for. Returns `code`.
[[nodiscard]] ExitCode report(Output output, ExitCode code, const std::string& sentence);

/// The same for a configuration with problems.
[[nodiscard]] ExitCode report(Output output, const ConfigError& error);

/// Problems that only show when the configuration is put to use: whole sentences, without a line.
[[nodiscard]] ConfigError
refusals(const std::string& file, const std::vector<std::string>& sentences);

/// {"ok": false, "problems": [{"file", "line", "key", "text"}…]}
[[nodiscard]] boost::json::object to_json(const ConfigError& error);

} // namespace switchyard::host

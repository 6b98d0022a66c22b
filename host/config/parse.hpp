#pragma once

#include <host/config/config.hpp>
#include <host/config/config_error.hpp>

#include <boost/system/result.hpp>

#include <string>
#include <string_view>

namespace switchyard::host {

/// Reads the text of a plugins.toml and judges it completely; `file` is its name in problems. Pure:
/// looks at no other file, so whether a library or a certificate exists is told later.
[[nodiscard]] boost::system::result<Config, ConfigError>
parse(std::string_view text, const std::string& file);

/// Reads `file` (at most 1 MiB) and parses it.
[[nodiscard]] boost::system::result<Config, ConfigError> load(const std::string& file);

/// Where the control socket of a server with this configuration is.
[[nodiscard]] std::string control_socket(const HostConfig& host);

} // namespace switchyard::host

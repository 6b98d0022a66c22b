#pragma once

#include <host/config/config.hpp>
#include <host/plugin/isolated_code.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace switchyard::host {

/// What the process of an isolated plugin needs to know to begin.
struct IsolatedRequest {
  IsolatedPlugin plugin;                ///< without the parsed manifest, which is in its text
  std::string settings;                 ///< the plugin's `config`, JSON
  sy_log_level log_level = SY_LOG_INFO; ///< lines below it are not wanted
  Config config;                        ///< of it host.loops, limits and tls
};

/// Its text: one JSON object.
[[nodiscard]] std::string to_text(const IsolatedRequest& request);

/// The request that `text` is; nothing when it is none. Pure.
[[nodiscard]] std::optional<IsolatedRequest> parse_isolated_request(std::string_view text);

} // namespace switchyard::host

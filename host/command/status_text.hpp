#pragma once

#include <boost/json/fwd.hpp>

#include <string>

namespace switchyard::host {

// What the server answers (host/control/README.md) as text for people. Pure. A field that is
// missing, or of another type, because the server is of another version, is left out.

[[nodiscard]] std::string status_text(const boost::json::object& status);
[[nodiscard]] std::string plugins_text(const boost::json::array& plugins);
[[nodiscard]] std::string plugin_text(const boost::json::object& plugin);
[[nodiscard]] std::string phase_text(const boost::json::object& line);
[[nodiscard]] std::string swap_text(const boost::json::object& answer);
[[nodiscard]] std::string reload_text(const boost::json::object& answer);
[[nodiscard]] std::string plan_text(const boost::json::object& plan);

} // namespace switchyard::host

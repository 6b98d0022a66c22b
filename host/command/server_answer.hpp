#pragma once

#include <host/command/commands.hpp>
#include <host/config/parse.hpp>
#include <host/control/client.hpp>

#include <functional>

namespace switchyard::host {

/// Asks the server of `target` and gives its answer to `show`, whose exit code is returned. What
/// goes wrong is reported; `offline`, if given, runs instead when no server answers and the
/// configuration could be read.
[[nodiscard]] ExitCode with_answer(
    const Target& target,
    const boost::json::object& request,
    const std::function<ExitCode(const boost::json::object& answer)>& show,
    const std::function<ExitCode(const Config& config, const std::string& why)>& offline = {});

/// The same for a command whose answer comes in several lines; each but the answer goes to `told`.
/// There may be ten minutes between two of them: as long as a plugin's limits let a step take.
[[nodiscard]] ExitCode with_lines(
    const Target& target,
    const boost::json::object& request,
    const std::function<void(const boost::json::object& line)>& told,
    const std::function<ExitCode(const boost::json::object& answer)>& show);

} // namespace switchyard::host

#pragma once

#include <host/plugin/refusal.hpp>

#include <boost/json/object.hpp>

#include <string>

namespace switchyard::host {

class Generations;
class Journal;
class PluginSet;

/// What a swap of `plugin` to `library` would meet: the new version, who uses its interfaces, what
/// is registered with them, its connections, and what has kept its code in memory so far. Stages,
/// verifies and tries the file, and leaves nothing behind. A refusal is what the swap would say.
[[nodiscard]] OrRefusal<boost::json::object> plan_swap(
    Generations& plugin,
    const std::string& library,
    const PluginSet& plugins,
    const Journal& journal);

} // namespace switchyard::host

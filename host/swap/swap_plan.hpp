#pragma once

#include <host/plugin/refusal.hpp>

#include <boost/json/object.hpp>

#include <string>

namespace switchyard::host {

class Generations;
class PluginSet;
struct Services;

/// What a swap of `plugin` to `library` would meet: the new version, who uses its interfaces, what
/// is registered with them, its connections, whether its code can leave afterwards, and what has
/// kept it in memory so far. Stages,
/// verifies and tries the file, and leaves nothing behind. A refusal is what the swap would say.
[[nodiscard]] OrRefusal<boost::json::object> plan_swap(
    Generations& plugin,
    const std::string& library,
    const PluginSet& plugins,
    const Services& services);

} // namespace switchyard::host

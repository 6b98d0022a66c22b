#pragma once

#include <host/serve/stages.hpp>

namespace switchyard::host {

/// Serves one accepted connection, from accept to the moment a plugin has it. Each step is a folder
/// of host/: limit, sniff, tls, route, plugin. On the loop of `loop`; everything outlives the
/// connection.
void serve(
    Accepted accepted, const ListenerConfig& listener, LoopStages& loop, const Stages& stages);

} // namespace switchyard::host

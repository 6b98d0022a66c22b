#pragma once

#include <host/serve/stages.hpp>

namespace switchyard::host {

/// Serves one connection that Config::listeners[listener] has accepted, from accept to the moment a
/// plugin has it. Each step is a folder of host/: limit, sniff, tls, route, plugin. On the loop of
/// `loop`; everything outlives the connection.
void serve(Accepted accepted, std::size_t listener, LoopStages& loop, const Stages& stages);

} // namespace switchyard::host

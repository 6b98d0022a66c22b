#pragma once

#include <host/limit/client_limit.hpp>
#include <host/serve/stages.hpp>

namespace switchyard::host {

/// Serves one connection that `acceptor` has accepted, from accept to the moment a plugin has it.
/// Each step is a folder of host/: limit, sniff, tls, route, plugin. On the loop of `loop`, which,
/// like `limit`, outlives the connection.
void serve(Accepted accepted, const Acceptor& acceptor, LoopStages& loop, ClientLimit& limit);

} // namespace switchyard::host

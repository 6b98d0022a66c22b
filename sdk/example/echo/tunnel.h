/* A TLS connection for the poller, which needs a descriptor: a socket pair and the SDK's pump.
 * Everything here: [loop]. */
#pragma once

#include "loop.h"
#include "poller.h"

/* Takes the connection when it returns SY_OK. */
sy_status echo_tunnel_serve(echo_loop* loop, echo_poller* poller, sy_connection* connection);

/* Ends all tunnels now. */
void echo_tunnels_end(echo_loop* loop);

/* A connection served as a stream. Everything here: [loop]. */
#pragma once

#include "loop.h"

/* Echoes until the peer has finished. Takes the connection when it returns SY_OK. */
sy_status echo_stream_serve(echo_loop* loop, sy_connection* connection);

/* From now on a stream ends as soon as it has answered all that has arrived. */
void echo_streams_drain(echo_loop* loop);

/* Ends all streams now. */
void echo_streams_end(echo_loop* loop);

/* The host's event loops: posting work, timers, and connections of the plugin's own. */
#pragma once

#include <switchyard/connection.h>
#include <switchyard/host.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SY_LOOPS "switchyard.host.loops/1"
#define SY_NO_LOOP UINT32_MAX

typedef struct sy_timer sy_timer;

/* A loop is one thread; a connection stays on the loop that accepted it. Numbered from 0. */
typedef struct sy_loops {
  uint32_t struct_size;
  uint32_t count;

  /* The loop of the calling thread, or SY_NO_LOOP. [any thread] */
  uint32_t (*current)(const sy_host* host);

  /* Monotonic clock in nanoseconds; the one that deadlines refer to. [any thread] */
  uint64_t (*now)(const sy_host* host);

  /* Runs `run` once on `loop`, after what was posted before it, never from inside post.
   * SY_CANCELLED once stop() has returned. [any thread] */
  sy_status (*post)(const sy_host* host, uint32_t loop, sy_callback run, void* context);

  /* Calls `fire` once at or after `due` (as now()). `*timer` is freed when it has fired or is
   * stopped. SY_INVALID on any other thread; SY_CANCELLED as post. [loop] */
  sy_status (*start_timer)(
      const sy_host* host, uint64_t due, sy_callback fire, void* context, sy_timer** timer);

  /* Makes sure that `fire` is not called any more. Not for a timer that has fired. [loop] */
  void (*stop_timer)(const sy_host* host, sy_timer* timer);

  /* Makes a connection of a socket the plugin opened (socketpair, listener of its own). The host
   * owns `descriptor` afterwards, also when it fails, and makes it non-blocking. [loop] */
  sy_status (*adopt)(const sy_host* host, int32_t descriptor, sy_connection** connection);
} sy_loops;

#ifdef __cplusplus
} /* extern "C" */
#endif

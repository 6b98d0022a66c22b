/* Counts what an instance serves, so that the end of a drain is told once. */
#pragma once

#include <switchyard/plugin.h>

#include <stdatomic.h>

typedef struct echo_drain {
  atomic_size_t held; /* what is served, and 1 until the drain begins; 0: it is complete */
  sy_drain_done done; /* set before the 1 is given back */
  void* context;
} echo_drain;

void echo_drain_init(echo_drain* drain);

/* Counts one more; 0 when the drain is already complete. [any thread] */
int echo_drain_enter(echo_drain* drain);

/* [any thread] */
void echo_drain_leave(echo_drain* drain);

/* Calls `done` when everything has left, at once or later. [control] */
void echo_drain_begin(echo_drain* drain, sy_drain_done done, void* context);

/* What the plugin keeps for each loop of the host. Everything here: [loop], unless marked
 * otherwise. */
#pragma once

#include "config.h"
#include "drain.h"
#include "link.h"

#include <switchyard/loops.h>

#include <pthread.h>

#define ECHO_IDLE_LIMIT UINT64_C(600000000000) /* ns without a byte from the peer */
#define ECHO_STALL_LIMIT UINT64_C(30000000000) /* ns in which the peer reads nothing */
#define ECHO_SWEEP UINT64_C(10000000000)       /* ns between two looks at these */
#define ECHO_CHUNK 16384                       /* bytes read at once, and held at most */

typedef struct echo_loop echo_loop;

/* What all loops share. */
typedef struct echo_loops {
  const sy_host* host;
  const sy_loops* loops;
  const echo_config* config;
  echo_drain* drain;
  echo_loop* each; /* loops->count of them */
  pthread_mutex_t mutex;
  pthread_cond_t visited;
  size_t visits; /* posted and not yet run; under mutex */
} echo_loops;

struct echo_loop {
  echo_loops* shared;
  void (*visit)(echo_loop* loop);
  sy_timer* sweep;   /* runs while there are streams */
  echo_link reading; /* streams that wait for the peer, longest first */
  echo_link writing; /* streams that wait for the peer to read, longest first */
  echo_link tunnels;
  int draining;
};

/* [control] */
sy_status echo_loops_init(
    echo_loops* loops, const sy_host* host, const echo_config* config, echo_drain* drain);

/* Runs `visit` once on every loop and waits for it. 0 when a loop did not come round in time.
 * [control] */
int echo_loops_visit(echo_loops* loops, void (*visit)(echo_loop* loop));

/* [control] */
void echo_loops_free(echo_loops* loops);

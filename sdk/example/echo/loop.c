#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define VISIT_LIMIT 5 /* seconds until a loop that does not come round is given up */

sy_status echo_loops_init(
    echo_loops* loops, const sy_host* host, const echo_config* config, echo_drain* drain) {
  loops->host = host;
  loops->loops = (const sy_loops*)host->service(host, SY_LOOPS);
  if (loops->loops == NULL) return SY_UNSUPPORTED;
  loops->config = config;
  loops->drain = drain;
  loops->visits = 0;
  loops->each = calloc(loops->loops->count, sizeof *loops->each);
  if (loops->each == NULL) return SY_NO_MEMORY;
  for (uint32_t at = 0; at < loops->loops->count; ++at) {
    echo_loop* const loop = &loops->each[at];
    loop->shared = loops;
    echo_ring_init(&loop->reading);
    echo_ring_init(&loop->writing);
    echo_ring_init(&loop->tunnels);
  }

  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&loops->visited, &monotonic);
  pthread_condattr_destroy(&monotonic);
  pthread_mutex_init(&loops->mutex, NULL);
  return SY_OK;
}

static void visited(echo_loops* loops) {
  pthread_mutex_lock(&loops->mutex);
  --loops->visits;
  pthread_cond_signal(&loops->visited);
  pthread_mutex_unlock(&loops->mutex);
}

static void visit(void* context) {
  echo_loop* const loop = context;
  loop->visit(loop);
  visited(loop->shared);
}

int echo_loops_visit(echo_loops* loops, void (*function)(echo_loop* loop)) {
  struct timespec limit;
  clock_gettime(CLOCK_MONOTONIC, &limit);
  limit.tv_sec += VISIT_LIMIT;

  for (uint32_t at = 0; at < loops->loops->count; ++at) {
    pthread_mutex_lock(&loops->mutex);
    ++loops->visits;
    pthread_mutex_unlock(&loops->mutex);
    loops->each[at].visit = function;
    if (loops->loops->post(loops->host, at, &visit, &loops->each[at]) != SY_OK) visited(loops);
  }

  int waited = 0;
  pthread_mutex_lock(&loops->mutex);
  while (loops->visits != 0 && waited == 0) {
    waited = pthread_cond_timedwait(&loops->visited, &loops->mutex, &limit);
  }
  const int all = loops->visits == 0;
  pthread_mutex_unlock(&loops->mutex);
  return all;
}

void echo_loops_free(echo_loops* loops) {
  pthread_cond_destroy(&loops->visited);
  pthread_mutex_destroy(&loops->mutex);
  free(loops->each);
}

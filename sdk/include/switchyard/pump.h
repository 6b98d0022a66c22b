/* Copies between two connections. A plugin whose library insists on a descriptor serves TLS with
 * it: socketpair(), loops.adopt() one end, pump between that and the connection, and give the other
 * end to the library. Header-only; C11. */
#pragma once

#include <switchyard/connection.h>
#include <switchyard/loops.h>

#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SY_PUMP_CHUNK                                                                              \
  16384u                  /* bytes; what one direction holds at most, and only while it is stuck */
#define SY_PUMP_ROUNDS 16 /* chunks copied in one direction before the loop serves others */

typedef struct sy_pump sy_pump;

/* One direction of a pump. */
typedef struct sy_pump_flow {
  sy_pump* pump;
  sy_connection* from;
  sy_connection* to;
  char* rest; /* what `to` did not take at once; NULL when it took everything */
  int ended;  /* nothing is copied any more; `to` has been told */
} sy_pump_flow;

struct sy_pump {
  sy_pump_flow outward; /* inner to wire */
  sy_pump_flow inward;  /* wire to inner */
  const sy_host* host;
  const sy_loops* loops;
  sy_timer* timer; /* runs once one direction has ended */
  uint64_t linger;
  sy_callback done;
  void* context;
  int moved; /* since the timer was started */
};

static inline void sy_pump_read(sy_pump_flow* flow);

/* Ends both connections and the pump. `done` is not called. [loop] */
static inline void sy_pump_stop(sy_pump* pump, sy_close_reason reason) {
  if (pump->timer != NULL) pump->loops->stop_timer(pump->host, pump->timer);
  pump->inward.from->api->close(pump->inward.from, reason);
  pump->inward.to->api->close(pump->inward.to, reason);
  free(pump->inward.rest);
  free(pump->outward.rest);
  free(pump);
}

static inline void sy_pump_finish(sy_pump* pump, sy_close_reason reason) {
  const sy_callback done = pump->done;
  void* const context = pump->context;
  sy_pump_stop(pump, reason);
  done(context);
}

static inline void sy_pump_tick(void* context) {
  sy_pump* const pump = (sy_pump*)context;
  pump->timer = NULL;
  if (!pump->moved) {
    sy_pump_finish(pump, SY_CLOSE_TIMED_OUT);
    return;
  }
  pump->moved = 0;
  if (pump->loops->start_timer(
          pump->host,
          pump->loops->now(pump->host) + pump->linger,
          &sy_pump_tick,
          pump,
          &pump->timer) != SY_OK) {
    sy_pump_finish(pump, SY_CLOSE_INTERNAL);
  }
}

/* Passes the end of `flow` on. The other direction goes on, as long as something moves. */
static inline void sy_pump_end_flow(sy_pump_flow* flow) {
  sy_pump* const pump = flow->pump;
  const sy_status told = flow->to->api->shutdown_write(flow->to);
  flow->ended = 1;
  if ((pump->inward.ended && pump->outward.ended) || (told != SY_OK && flow == &pump->outward)) {
    sy_pump_finish(pump, SY_CLOSE_FINISHED);
    return;
  }
  pump->moved = 1;
  sy_pump_tick(pump);
}

/* A connection has failed. When it is the wire, there is nobody left to copy for. When it is the
 * inner one, the library has closed its end, perhaps with an answer still to be copied to the wire.
 */
static inline void sy_pump_fail(sy_pump_flow* flow, const sy_connection* failed, sy_status status) {
  sy_pump* const pump = flow->pump;
  if (failed == pump->outward.to) {
    sy_pump_finish(pump, status == SY_CLOSED ? SY_CLOSE_PEER_GONE : SY_CLOSE_INTERNAL);
  } else {
    sy_pump_end_flow(flow);
  }
}

static inline void sy_pump_readable(void* context, sy_status status, size_t transferred) {
  sy_pump_flow* const flow = (sy_pump_flow*)context;
  (void)transferred;
  if (status != SY_OK) {
    sy_pump_fail(flow, flow->from, status);
  } else {
    sy_pump_read(flow);
  }
}

static inline void sy_pump_wait(sy_pump_flow* flow) {
  const sy_status status = flow->from->api->wait_readable(flow->from, &sy_pump_readable, flow);
  if (status != SY_OK) sy_pump_fail(flow, flow->from, status);
}

static inline void sy_pump_written(void* context, sy_status status, size_t transferred) {
  sy_pump_flow* const flow = (sy_pump_flow*)context;
  (void)transferred;
  free(flow->rest);
  flow->rest = NULL;
  flow->pump->moved = 1;
  if (status != SY_OK) {
    sy_pump_fail(flow, flow->to, status);
  } else {
    sy_pump_wait(flow);
  }
}

/* Writes `size` bytes. 1 when all are written; 0 when the flow goes on, or ends, elsewhere. */
static inline int sy_pump_write(sy_pump_flow* flow, const char* bytes, size_t size) {
  size_t sent = 0;
  sy_bytes slice = {bytes, size};
  sy_status status = flow->to->api->try_write(flow->to, &slice, 1, &sent);
  if (status == SY_AGAIN) sent = 0;
  if (status == SY_OK && sent == size) return 1;
  if (status == SY_OK || status == SY_AGAIN) {
    flow->rest = (char*)malloc(size - sent);
    if (flow->rest == NULL) {
      sy_pump_finish(flow->pump, SY_CLOSE_INTERNAL);
      return 0;
    }
    memcpy(flow->rest, bytes + sent, size - sent);
    slice.data = flow->rest;
    slice.size = size - sent;
    status = flow->to->api->write(flow->to, &slice, 1, &sy_pump_written, flow);
    if (status == SY_OK) return 0;
  }
  sy_pump_fail(flow, flow->to, status);
  return 0;
}

static inline void sy_pump_read(sy_pump_flow* flow) {
  char chunk[SY_PUMP_CHUNK];
  int round;
  for (round = 0; round < SY_PUMP_ROUNDS; ++round) {
    size_t got = 0;
    const sy_status status = flow->from->api->try_read(flow->from, chunk, sizeof chunk, &got);
    if (status == SY_AGAIN) break;
    if (status != SY_OK) {
      sy_pump_fail(flow, flow->from, status);
      return;
    }
    if (got == 0) {
      sy_pump_end_flow(flow);
      return;
    }
    flow->pump->moved = 1;
    if (!sy_pump_write(flow, chunk, got)) return;
    if (got < sizeof chunk) break;
  }
  sy_pump_wait(flow);
}

/* Begins to copy in both directions; takes both connections, of one loop, also when it fails. A
 * half-close of one side is passed on to the other. The pump ends when both sides have finished,
 * when `wire` fails, or when after a half-close nothing has moved for `linger` nanoseconds; then it
 * closes both and calls `done` once. Not from inside this call. [loop] */
static inline sy_status sy_pump_start(
    const sy_host* host,
    sy_connection* wire,
    sy_connection* inner,
    uint64_t linger,
    sy_callback done,
    void* context,
    sy_pump** started) {
  const sy_loops* const loops = (const sy_loops*)host->service(host, SY_LOOPS);
  sy_pump* const pump = loops == NULL ? NULL : (sy_pump*)calloc(1, sizeof *pump);
  sy_status status;
  if (pump == NULL) {
    wire->api->close(wire, SY_CLOSE_INTERNAL);
    inner->api->close(inner, SY_CLOSE_INTERNAL);
    return loops == NULL ? SY_UNSUPPORTED : SY_NO_MEMORY;
  }
  pump->outward.pump = pump;
  pump->outward.from = inner;
  pump->outward.to = wire;
  pump->inward.pump = pump;
  pump->inward.from = wire;
  pump->inward.to = inner;
  pump->host = host;
  pump->loops = loops;
  pump->linger = linger;
  pump->done = done;
  pump->context = context;
  status = inner->api->wait_readable(inner, &sy_pump_readable, &pump->outward);
  if (status == SY_OK) status = wire->api->wait_readable(wire, &sy_pump_readable, &pump->inward);
  if (status != SY_OK) {
    sy_pump_stop(pump, SY_CLOSE_INTERNAL);
    return status;
  }
  *started = pump;
  return SY_OK;
}

#ifdef __cplusplus
} /* extern "C" */
#endif

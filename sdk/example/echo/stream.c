#include "stream.h"

#include <stdlib.h>
#include <string.h>

#define ROUNDS 8 /* reads of one stream before the loop serves others */

/* All that an idle connection costs. */
typedef struct echo_stream {
  echo_link link; /* in loop->reading or loop->writing */
  echo_loop* loop;
  sy_connection* connection;
  uint64_t since; /* loops.now when it was appended to that ring */
  char* rest;     /* what the peer did not take at once */
  int greeted;
} echo_stream;

static void end(echo_stream* stream, sy_close_reason reason) {
  echo_loop* const loop = stream->loop;
  echo_link_remove(&stream->link);
  stream->connection->api->close(stream->connection, reason);
  free(stream->rest);
  free(stream);
  echo_drain_leave(loop->shared->drain);
}

static void end_failed(echo_stream* stream, sy_status status) {
  end(stream, status == SY_CLOSED ? SY_CLOSE_PEER_GONE : SY_CLOSE_INTERNAL);
}

static void move_to(echo_stream* stream, echo_link* ring) {
  const echo_loops* const shared = stream->loop->shared;
  stream->since = shared->loops->now(shared->host);
  echo_link_remove(&stream->link);
  echo_link_append(ring, &stream->link);
}

static void sweep(void* context);

static sy_status start_sweep(echo_loop* loop) {
  const echo_loops* const shared = loop->shared;
  const uint64_t due = shared->loops->now(shared->host) + ECHO_SWEEP;
  return shared->loops->start_timer(shared->host, due, &sweep, loop, &loop->sweep);
}

static void end_overdue(echo_link* ring, uint64_t before) {
  while (!echo_ring_empty(ring)) {
    echo_stream* const stream = (echo_stream*)ring->next;
    if (stream->since > before) return;
    end(stream, SY_CLOSE_TIMED_OUT);
  }
}

static void sweep(void* context) {
  echo_loop* const loop = context;
  const uint64_t now = loop->shared->loops->now(loop->shared->host);
  loop->sweep = NULL;
  if (now > ECHO_IDLE_LIMIT) end_overdue(&loop->reading, now - ECHO_IDLE_LIMIT);
  if (now > ECHO_STALL_LIMIT) end_overdue(&loop->writing, now - ECHO_STALL_LIMIT);
  if (!echo_ring_empty(&loop->reading) || !echo_ring_empty(&loop->writing)) {
    /* Without a timer the next stream starts one. */
    if (start_sweep(loop) != SY_OK) loop->sweep = NULL;
  }
}

static void on_readable(void* context, sy_status status, size_t transferred);
static void on_written(void* context, sy_status status, size_t transferred);

static void wait_readable(echo_stream* stream) {
  const sy_status status =
      stream->connection->api->wait_readable(stream->connection, &on_readable, stream);
  if (status != SY_OK) end_failed(stream, status);
}

/* Writes `answer`. 1 when all of it is written; 0 when the stream goes on in on_written or has
 * ended. */
static int answer(echo_stream* stream, sy_bytes answer) {
  const sy_connection_api* const api = stream->connection->api;
  size_t sent = 0;
  sy_status status = api->try_write(stream->connection, &answer, 1, &sent);
  if (status == SY_OK && sent == answer.size) return 1;
  if (status == SY_AGAIN) sent = 0;
  if (status == SY_OK || status == SY_AGAIN) {
    stream->rest = malloc(answer.size - sent);
    if (stream->rest == NULL) {
      status = SY_NO_MEMORY;
    } else {
      const sy_bytes left = {stream->rest, answer.size - sent};
      memcpy(stream->rest, (const char*)answer.data + sent, left.size);
      move_to(stream, &stream->loop->writing);
      status = api->write(stream->connection, &left, 1, &on_written, stream);
      if (status == SY_OK) return 0;
    }
  }
  end_failed(stream, status);
  return 0;
}

static void on_readable(void* context, sy_status status, size_t transferred) {
  echo_stream* const stream = context;
  const echo_config* const config = stream->loop->shared->config;
  char chunk[ECHO_CHUNK];
  (void)transferred;

  for (int round = 0; status == SY_OK && round < ROUNDS; ++round) {
    size_t got = 0;
    status = stream->connection->api->try_read(stream->connection, chunk, sizeof chunk, &got);
    if (status != SY_OK) break;
    if (got == 0) {
      end(stream, SY_CLOSE_FINISHED);
      return;
    }
    sy_bytes bytes = {chunk, got};
    if (!stream->greeted && config->greeting_size != 0) {
      bytes.data = config->greeting;
      bytes.size = config->greeting_size;
    }
    stream->greeted = 1;
    if (!answer(stream, bytes)) return;
    if (got < sizeof chunk) status = SY_AGAIN; /* saves the call that would say so */
  }

  if (status != SY_OK && status != SY_AGAIN) {
    end_failed(stream, status);
  } else if (status == SY_AGAIN && stream->loop->draining) {
    end(stream, SY_CLOSE_DRAINED);
  } else {
    move_to(stream, &stream->loop->reading);
    wait_readable(stream);
  }
}

static void on_written(void* context, sy_status status, size_t transferred) {
  echo_stream* const stream = context;
  (void)transferred;
  free(stream->rest);
  stream->rest = NULL;
  if (status != SY_OK) {
    end_failed(stream, status);
  } else {
    on_readable(stream, SY_OK, 0); /* perhaps it is */
  }
}

sy_status echo_stream_serve(echo_loop* loop, sy_connection* connection) {
  const echo_loops* const shared = loop->shared;
  if (loop->draining || !echo_drain_enter(shared->drain)) return SY_CANCELLED;
  echo_stream* const stream = calloc(1, sizeof *stream);
  sy_status status = stream == NULL ? SY_NO_MEMORY : SY_OK;
  if (status == SY_OK && loop->sweep == NULL) status = start_sweep(loop);
  if (status != SY_OK) {
    free(stream);
    echo_drain_leave(shared->drain);
    return status;
  }
  stream->loop = loop;
  stream->connection = connection;
  echo_link_append(&loop->reading, &stream->link);
  on_readable(stream, SY_OK, 0); /* a client's first bytes come with its tag */
  return SY_OK;
}

static void end_all(echo_link* ring) {
  while (!echo_ring_empty(ring))
    end((echo_stream*)ring->next, SY_CLOSE_DRAINED);
}

void echo_streams_drain(echo_loop* loop) {
  loop->draining = 1;
  end_all(&loop->reading);
}

void echo_streams_end(echo_loop* loop) {
  end_all(&loop->reading);
  end_all(&loop->writing);
  if (loop->sweep != NULL) {
    loop->shared->loops->stop_timer(loop->shared->host, loop->sweep);
    loop->sweep = NULL;
  }
}

#include "session.h"

#include "command.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define READ_SIZE 65536

struct kv_session {
  kv_service* service;
  sy_connection* connection; /* NULL: ended, and an answer is still to come */
  uint32_t loop;
  kv_session* previous;
  kv_session* next;
  char* input;
  size_t size;
  size_t room;
  char* answer; /* being written, or on its way to the loop */
  int working;  /* a line waits for its answer */
  int ending;   /* at the next line */
};

/* Frees it once nobody needs it any more. */
static void leave(kv_session* session) {
  kv_service* const service = session->service;
  pthread_mutex_lock(&service->mutex);
  if (session->previous != NULL) {
    session->previous->next = session->next;
  } else {
    service->first = session->next;
  }
  if (session->next != NULL) session->next->previous = session->previous;
  const int last = --service->sessions == 0;
  const sy_drain_done done = last ? service->done : NULL;
  if (done != NULL) service->done = NULL;
  free(session->input);
  free(session->answer);
  free(session);
  void* const done_context = service->done_context;
  pthread_cond_signal(&service->less);
  pthread_mutex_unlock(&service->mutex); /* from here on the service may be gone */
  if (done != NULL) done(done_context);
}

static void end(kv_session* session, sy_close_reason reason) {
  if (session->connection != NULL) session->connection->api->close(session->connection, reason);
  session->connection = NULL;
  if (!session->working) leave(session);
}

static void take_line(kv_session* session);

static void on_written(void* context, sy_status status, size_t transferred) {
  kv_session* const session = context;
  (void)transferred;
  free(session->answer);
  session->answer = NULL;
  if (status != SY_OK) {
    end(session, SY_CLOSE_PEER_GONE);
  } else {
    take_line(session);
  }
}

/* The answer has come to the session's loop. */
static void answered(void* context) {
  kv_session* const session = context;
  session->working = 0;
  if (session->connection == NULL) {
    leave(session);
    return;
  }
  const sy_bytes bytes = {session->answer, strlen(session->answer)};
  if (session->connection->api->write(session->connection, &bytes, 1, &on_written, session) !=
      SY_OK) {
    end(session, SY_CLOSE_INTERNAL);
  }
}

void kv_session_answer(kv_session* session, const char* line) {
  const size_t size = strlen(line);
  session->answer = malloc(size + 2);
  if (session->answer != NULL) {
    memcpy(session->answer, line, size);
    memcpy(session->answer + size, "\n", 2);
  } else {
    session->answer = strdup("err out of memory\n");
  }
  const kv_service* const service = session->service;
  if (session->answer == NULL ||
      service->loops->post(service->host, session->loop, &answered, session) != SY_OK) {
    /* The host has given the plugin up: its connections are closed by it. */
    session->working = 0;
  }
}

static void on_readable(void* context, sy_status status, size_t transferred) {
  (void)transferred;
  if (status != SY_OK) {
    end(context, SY_CLOSE_PEER_GONE);
  } else {
    take_line(context);
  }
}

/* Reads until there is a line, and begins to work on it. */
static void take_line(kv_session* session) {
  sy_connection* const connection = session->connection;
  for (;;) {
    char* const line_end = session->size == 0 ? NULL : memchr(session->input, '\n', session->size);
    if (line_end != NULL) {
      *line_end = '\0';
      if (line_end != session->input && line_end[-1] == '\r') line_end[-1] = '\0';
      session->working = 1;
      kv_command_run(session->service, session, session->input);
      session->size -= (size_t)(line_end + 1 - session->input);
      memmove(session->input, line_end + 1, session->size);
      return;
    }
    if (session->ending) {
      end(session, SY_CLOSE_DRAINED);
      return;
    }
    if (session->size == KV_LINE_MAX) {
      end(session, SY_CLOSE_LIMIT);
      return;
    }
    if (session->room - session->size < READ_SIZE) {
      const size_t room = session->room == 0 ? READ_SIZE : 2 * session->room;
      char* const input = realloc(session->input, room);
      if (input == NULL) {
        end(session, SY_CLOSE_INTERNAL);
        return;
      }
      session->input = input;
      session->room = room;
      if (room - session->size < READ_SIZE) continue;
    }
    size_t got = 0;
    const sy_status status =
        connection->api->try_read(connection, session->input + session->size, READ_SIZE, &got);
    if (status == SY_AGAIN) break;
    if (status != SY_OK || got == 0) {
      end(session, status == SY_OK ? SY_CLOSE_FINISHED : SY_CLOSE_PEER_GONE);
      return;
    }
    session->size += got;
  }
  if (connection->api->wait_readable(connection, &on_readable, session) != SY_OK) {
    end(session, SY_CLOSE_INTERNAL);
  }
}

sy_status kv_session_serve(kv_service* service, sy_connection* connection) {
  kv_session* const session = calloc(1, sizeof *session);
  if (session == NULL) return SY_NO_MEMORY;
  session->service = service;
  session->connection = connection;
  session->loop = service->loops->current(service->host);
  pthread_mutex_lock(&service->mutex);
  const int refused = service->draining;
  if (!refused) {
    session->next = service->first;
    if (service->first != NULL) service->first->previous = session;
    service->first = session;
    ++service->sessions;
  }
  pthread_mutex_unlock(&service->mutex);
  if (refused) return free(session), SY_CANCELLED;
  take_line(session);
  return SY_OK;
}

typedef struct ending {
  kv_service* service;
  uint32_t loop;
  int at_once;
} ending;

/* Sessions of a loop are freed on it and nowhere else, so the list can be walked here. */
static void end_on_loop(void* context) {
  ending* const all = context;
  kv_service* const service = all->service;
  int more = 1;
  while (more) {
    more = 0;
    pthread_mutex_lock(&service->mutex);
    kv_session* found = service->first;
    while (found != NULL && (found->loop != all->loop || found->connection == NULL ||
                             (found->ending && !all->at_once))) {
      found = found->next;
    }
    pthread_mutex_unlock(&service->mutex);
    if (found == NULL) break;
    more = 1;
    found->ending = 1;
    if (all->at_once || (!found->working && found->answer == NULL)) end(found, SY_CLOSE_DRAINED);
  }
  free(all);
  pthread_mutex_lock(&service->mutex);
  --service->visits;
  pthread_cond_signal(&service->less);
  pthread_mutex_unlock(&service->mutex);
}

int kv_sessions_wait(kv_service* service, int seconds) {
  struct timespec limit;
  clock_gettime(CLOCK_REALTIME, &limit);
  limit.tv_sec += seconds;
  int waited = 0;
  pthread_mutex_lock(&service->mutex);
  while ((service->sessions != 0 || service->visits != 0) && waited == 0) {
    waited = pthread_cond_timedwait(&service->less, &service->mutex, &limit);
  }
  const int none = service->sessions == 0 && service->visits == 0;
  pthread_mutex_unlock(&service->mutex);
  return none;
}

void kv_sessions_end(kv_service* service, int at_once, sy_drain_done done, void* context) {
  pthread_mutex_lock(&service->mutex);
  service->draining = 1;
  const int none = service->sessions == 0;
  service->visits += service->loops->count;
  if (done != NULL && !none) {
    service->done = done;
    service->done_context = context;
  }
  pthread_mutex_unlock(&service->mutex);
  if (done != NULL && none) done(context);
  for (uint32_t loop = 0; loop < service->loops->count; ++loop) {
    ending* const all = malloc(sizeof *all);
    if (all != NULL) *all = (ending){service, loop, at_once};
    if (all != NULL && service->loops->post(service->host, loop, &end_on_loop, all) == SY_OK) {
      continue;
    }
    free(all);
    pthread_mutex_lock(&service->mutex);
    --service->visits;
    pthread_mutex_unlock(&service->mutex);
  }
}

#include "guest.h"

#include "greeting.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PATIENCE UINT64_C(60000000000) /* ns a guest may say nothing, or read nothing */
#define WAIT_LIMIT 5                   /* seconds */

struct guest {
  guest* next;
  guest** at; /* what points to it */
  room* room;
  sy_connection* connection;
  sy_timer* timer; /* ends the patience */
  int answering;   /* a write is in flight */
  size_t size;     /* of what it has said and not been answered */
  char said[GREETING_LINE_MAX];
  char answer[GREETING_MAX];
};

static void listen_to(guest* guest);

/* One guest or visit less. The last guest of a drain tells the host. */
static void count_down(sy_instance* instance, size_t* counted) {
  sy_drain_done done = NULL;
  void* context = NULL;
  pthread_mutex_lock(&instance->mutex);
  --*counted;
  if (instance->draining && instance->guests == 0) {
    done = instance->drained;
    context = instance->drained_context;
    instance->drained = NULL; /* once */
  }
  pthread_cond_signal(&instance->changed);
  pthread_mutex_unlock(&instance->mutex);
  if (done != NULL) done(context);
}

static void leave(guest* guest, sy_close_reason reason) {
  sy_instance* const instance = guest->room->instance;
  *guest->at = guest->next;
  if (guest->next != NULL) guest->next->at = guest->at;
  if (guest->timer != NULL) instance->loops->stop_timer(instance->host, guest->timer);
  guest->connection->api->close(guest->connection, reason); /* drops what is in flight */
  free(guest);
  count_down(instance, &instance->guests);
}

static void patience_ends(void* context) {
  guest* const self = context;
  self->timer = NULL; /* a timer that has fired is gone */
  leave(self, SY_CLOSE_TIMED_OUT);
}

/* Begins the patience anew. 0: it could not, and the guest has left. */
static int be_patient(guest* guest) {
  sy_instance* const instance = guest->room->instance;
  const sy_loops* const loops = instance->loops;
  if (guest->timer != NULL) loops->stop_timer(instance->host, guest->timer);
  guest->timer = NULL;
  const uint64_t due = loops->now(instance->host) + PATIENCE;
  if (loops->start_timer(instance->host, due, patience_ends, guest, &guest->timer) == SY_OK) {
    return 1;
  }
  leave(guest, SY_CLOSE_DRAINED);
  return 0;
}

static void heard(void* context, sy_status status, size_t transferred) {
  guest* const self = context;
  if (status != SY_OK || transferred == 0) { /* broken, or the peer has said all it wants */
    leave(self, status == SY_OK ? SY_CLOSE_FINISHED : SY_CLOSE_PEER_GONE);
    return;
  }
  self->size += transferred;
  listen_to(self);
}

static void hear_more(guest* guest) {
  if (guest->size == sizeof guest->said) { /* a line without an end */
    leave(guest, SY_CLOSE_PROTOCOL_ERROR);
  } else if (guest->room->closing && guest->size == 0) {
    leave(guest, SY_CLOSE_DRAINED);
  } else if (be_patient(guest)) {
    sy_connection* const from = guest->connection;
    char* const into = guest->said + guest->size;
    const size_t space = sizeof guest->said - guest->size;
    if (from->api->read_some(from, into, space, heard, guest) != SY_OK) {
      leave(guest, SY_CLOSE_PEER_GONE);
    }
  }
}

static void answered(void* context, sy_status status, size_t transferred) {
  guest* const self = context;
  (void)transferred; /* write has written everything, or failed */
  self->answering = 0;
  if (status == SY_OK) {
    listen_to(self);
  } else {
    leave(self, SY_CLOSE_PEER_GONE);
  }
}

/* Answers the first line, if there is a whole one, and else waits for more of it. */
static void listen_to(guest* guest) {
  const size_t line = greeting_line(guest->said, guest->size);
  if (line == 0) {
    hear_more(guest);
    return;
  }
  const sy_bytes answer = {guest->answer, greeting_answer(guest->said, line, guest->answer)};
  guest->size -= line;
  memmove(guest->said, guest->said + line, guest->size);
  if (!be_patient(guest)) return;
  guest->answering = 1;
  sy_connection* const to = guest->connection;
  if (to->api->write(to, &answer, 1, answered, guest) != SY_OK) leave(guest, SY_CLOSE_PEER_GONE);
}

sy_status guest_enter(sy_instance* instance, sy_connection* connection) {
  guest* const entering = calloc(1, sizeof *entering);
  if (entering == NULL) return SY_NO_MEMORY; /* the host closes the connection */
  pthread_mutex_lock(&instance->mutex);
  const int welcome = !instance->draining;
  if (welcome) ++instance->guests;
  pthread_mutex_unlock(&instance->mutex);
  if (!welcome) {
    free(entering);
    return SY_CANCELLED;
  }

  room* const room = &instance->rooms[instance->loops->current(instance->host)];
  entering->room = room;
  entering->connection = connection;
  entering->next = room->first;
  entering->at = &room->first;
  if (room->first != NULL) room->first->at = &entering->next;
  room->first = entering;
  listen_to(entering); /* it may have left when this returns */
  return SY_OK;
}

static void let_finish(void* context) {
  room* const room = context;
  sy_instance* const instance = room->instance;
  room->closing = 1;
  for (guest *at = room->first, *next; at != NULL; at = next) {
    next = at->next;
    if (!at->answering && at->size == 0) leave(at, SY_CLOSE_DRAINED);
  }
  count_down(instance, &instance->visits);
}

static void throw_out(void* context) {
  room* const room = context;
  sy_instance* const instance = room->instance;
  room->closing = 1;
  while (room->first != NULL)
    leave(room->first, SY_CLOSE_DRAINED);
  count_down(instance, &instance->visits);
}

/* Runs `visit` on every loop, later. */
static void visit_rooms(sy_instance* instance, sy_callback visit) {
  for (uint32_t at = 0; at < instance->loops->count; ++at) {
    pthread_mutex_lock(&instance->mutex);
    ++instance->visits;
    pthread_mutex_unlock(&instance->mutex);
    if (instance->loops->post(instance->host, at, visit, &instance->rooms[at]) != SY_OK) {
      count_down(instance, &instance->visits);
    }
  }
}

void guests_drain(sy_instance* instance, sy_drain_done done, void* context) {
  pthread_mutex_lock(&instance->mutex);
  instance->draining = 1;
  const int empty = instance->guests == 0;
  if (!empty) {
    instance->drained = done;
    instance->drained_context = context;
  }
  pthread_mutex_unlock(&instance->mutex);
  if (empty) {
    done(context);
  } else {
    visit_rooms(instance, let_finish);
  }
}

void guests_abort(sy_instance* instance) {
  visit_rooms(instance, throw_out);
}

int guests_wait(sy_instance* instance) {
  struct timespec limit;
  clock_gettime(CLOCK_REALTIME, &limit);
  limit.tv_sec += WAIT_LIMIT;
  int waited = 0;
  pthread_mutex_lock(&instance->mutex);
  while (waited == 0 && instance->guests + instance->visits != 0)
    waited = pthread_cond_timedwait(&instance->changed, &instance->mutex, &limit);
  const int alone = instance->guests + instance->visits == 0;
  pthread_mutex_unlock(&instance->mutex);
  return alone;
}

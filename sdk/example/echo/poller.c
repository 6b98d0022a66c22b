#include "poller.h"

#include "loop.h"

#include <sys/eventfd.h>

#include <unistd.h>

/* Moves what has arrived to the table; returns what was asked. */
static unsigned take_arrived(echo_poller* poller) {
  pthread_mutex_lock(&poller->mutex);
  while (!echo_ring_empty(&poller->arrived)) {
    echo_link* const link = poller->arrived.next;
    echo_link_remove(link);
    poller->table[poller->count++] = (echo_guest*)link;
  }
  const unsigned asked = poller->asked;
  poller->asked &= ~(unsigned)ECHO_POLLER_CUT;
  pthread_mutex_unlock(&poller->mutex);
  return asked;
}

static int is_over(const echo_guest* guest, unsigned asked, uint64_t now) {
  const uint64_t limit = guest->rest != NULL ? ECHO_STALL_LIMIT : ECHO_IDLE_LIMIT;
  if (asked & (ECHO_POLLER_CUT | ECHO_POLLER_QUIT)) return 1;
  return now > guest->since + limit;
}

static void end_at(echo_poller* poller, size_t at) {
  echo_guest* const guest = poller->table[at];
  poller->table[at] = poller->table[--poller->count];
  pthread_mutex_lock(&poller->mutex);
  --poller->guests;
  pthread_mutex_unlock(&poller->mutex);
  echo_guest_end(guest);
}

static void end_what_is_over(echo_poller* poller, unsigned asked) {
  const uint64_t now = poller->loops->now(poller->host);
  for (size_t at = poller->count; at-- != 0;) {
    if (is_over(poller->table[at], asked, now)) end_at(poller, at);
  }
}

static void wait_for_events(echo_poller* poller, int draining) {
  int limit = poller->count == 0 ? -1 : (int)(ECHO_SWEEP / UINT64_C(1000000));
  for (size_t at = 0; at < poller->count; ++at) {
    poller->polled[at].fd = poller->table[at]->descriptor;
    poller->polled[at].events = echo_guest_events(poller->table[at]);
    poller->polled[at].revents = 0;
    if (draining && poller->table[at]->rest == NULL) limit = 0;
  }
  struct pollfd* const wake = &poller->polled[poller->count];
  wake->fd = poller->wake;
  wake->events = POLLIN;
  wake->revents = 0;
  if (poll(poller->polled, poller->count + 1, limit) > 0 && wake->revents != 0) {
    uint64_t times;
    if (read(poller->wake, &times, sizeof times) < 0) times = 0; /* somebody was quicker */
  }
}

/* A guest for which nothing has come ends in a drain, unless it still has to be answered. */
static void serve_events(echo_poller* poller, int draining) {
  const uint64_t now = poller->loops->now(poller->host);
  for (size_t at = poller->count; at-- != 0;) {
    echo_guest* const guest = poller->table[at];
    const int goes_on = poller->polled[at].revents != 0 ? echo_guest_go_on(guest, now)
                                                        : !draining || guest->rest != NULL;
    if (!goes_on) end_at(poller, at);
  }
}

static void run(void* context) {
  echo_poller* const poller = context;
  for (;;) {
    const unsigned asked = take_arrived(poller);
    end_what_is_over(poller, asked);
    if (asked & ECHO_POLLER_QUIT) return;
    wait_for_events(poller, (asked & ECHO_POLLER_DRAIN) != 0);
    serve_events(poller, (asked & ECHO_POLLER_DRAIN) != 0);
  }
}

static void wake(echo_poller* poller) {
  const uint64_t once = 1;
  /* It fails only when the thread has not been able to read 2^64 wakes: it is awake then. */
  if (write(poller->wake, &once, sizeof once) < 0) return;
}

sy_status echo_poller_start(echo_poller* poller, const sy_host* host, const sy_loops* loops) {
  poller->host = host;
  poller->loops = loops;
  poller->threads = host->service(host, SY_THREADS);
  if (poller->threads == NULL) return SY_UNSUPPORTED;
  poller->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (poller->wake < 0) return SY_LIMIT;
  echo_ring_init(&poller->arrived);
  pthread_mutex_init(&poller->mutex, NULL);
  const sy_string name = {"echo-poller", 11};
  const sy_status status = poller->threads->spawn(host, name, &run, poller, &poller->thread);
  if (status != SY_OK) {
    poller->thread = NULL;
    pthread_mutex_destroy(&poller->mutex);
    close(poller->wake);
  }
  return status;
}

sy_status echo_poller_add(echo_poller* poller, echo_guest* guest) {
  pthread_mutex_lock(&poller->mutex);
  const int full = poller->guests == ECHO_GUESTS_MAX;
  if (!full) {
    ++poller->guests;
    echo_link_append(&poller->arrived, &guest->link);
  }
  pthread_mutex_unlock(&poller->mutex);
  if (full) {
    echo_guest_end(guest);
    return SY_LIMIT;
  }
  wake(poller);
  return SY_OK;
}

void echo_poller_ask(echo_poller* poller, unsigned what) {
  if (poller->thread == NULL) return;
  pthread_mutex_lock(&poller->mutex);
  poller->asked |= what;
  pthread_mutex_unlock(&poller->mutex);
  wake(poller);
}

void echo_poller_stop(echo_poller* poller) {
  if (poller->thread == NULL) return;
  echo_poller_ask(poller, ECHO_POLLER_QUIT);
  poller->threads->join(poller->host, poller->thread);
  poller->thread = NULL;
  pthread_mutex_destroy(&poller->mutex);
  close(poller->wake);
}

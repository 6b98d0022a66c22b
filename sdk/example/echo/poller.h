/* A thread of the plugin's own that serves descriptors with poll(). */
#pragma once

#include "guest.h"

#include <switchyard/loops.h>
#include <switchyard/threads.h>

#include <poll.h>
#include <pthread.h>

#define ECHO_GUESTS_MAX 1024

/* What the thread is asked to do. */
enum {
  ECHO_POLLER_DRAIN = 1, /* end each guest once all that has arrived is answered */
  ECHO_POLLER_CUT = 2,   /* end all guests */
  ECHO_POLLER_QUIT = 4   /* end all guests and the thread */
};

typedef struct echo_poller {
  const sy_host* host;
  const sy_loops* loops;
  const sy_threads* threads;
  sy_thread* thread;
  int wake; /* eventfd */
  pthread_mutex_t mutex;
  echo_link arrived; /* under mutex */
  size_t guests;     /* under mutex; with those that have arrived */
  unsigned asked;    /* under mutex */

  /* The thread's own. */
  echo_guest* table[ECHO_GUESTS_MAX];
  struct pollfd polled[ECHO_GUESTS_MAX + 1]; /* as `table`, then `wake` */
  size_t count;
} echo_poller;

/* Starts the thread. [control] */
sy_status echo_poller_start(echo_poller* poller, const sy_host* host, const sy_loops* loops);

/* Takes `guest`, also when it fails. SY_LIMIT: there are ECHO_GUESTS_MAX. [any thread] */
sy_status echo_poller_add(echo_poller* poller, echo_guest* guest);

/* Asks for one of the things above; does not wait. [any thread] */
void echo_poller_ask(echo_poller* poller, unsigned what);

/* Ends all guests and the thread; does nothing when it was not started. [control] */
void echo_poller_stop(echo_poller* poller);

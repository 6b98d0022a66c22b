/* The connections of an instance: each is a guest, in the room of the loop that accepted it. */
#pragma once

#include <switchyard/loops.h>
#include <switchyard/plugin.h>

#include <pthread.h>

typedef struct guest guest;

/* The guests of one loop. No other thread looks at them, so there is no lock. */
typedef struct room {
  sy_instance* instance;
  guest* first;
  int closing; /* a guest leaves as soon as it has its answer */
} room;

struct sy_instance {
  const sy_host* host;
  const sy_loops* loops;
  room* rooms; /* loops->count of them */

  pthread_mutex_t mutex; /* of everything below, which all threads look at */
  pthread_cond_t changed;
  size_t guests;
  size_t visits; /* posted to a loop, and not yet run */
  int draining;
  sy_drain_done drained;
  void* drained_context;
};

/* Takes the connection and returns SY_OK, or leaves it alone. [loop] */
sy_status guest_enter(sy_instance* instance, sy_connection* connection);

/* Lets every guest have its answer and leave, then calls `done`. [control] */
void guests_drain(sy_instance* instance, sy_drain_done done, void* context);

/* Has every loop close the connections it still has. [control] */
void guests_abort(sy_instance* instance);

/* Returns when no guest and no visit is left; 0 when that takes too long. [control] */
int guests_wait(sy_instance* instance);

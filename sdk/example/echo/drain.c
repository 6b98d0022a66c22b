#include "drain.h"

void echo_drain_init(echo_drain* drain) {
  atomic_init(&drain->held, 1);
  drain->done = NULL;
  drain->context = NULL;
}

int echo_drain_enter(echo_drain* drain) {
  size_t held = atomic_load(&drain->held);
  while (held != 0) {
    if (atomic_compare_exchange_weak(&drain->held, &held, held + 1)) return 1;
  }
  return 0;
}

void echo_drain_leave(echo_drain* drain) {
  if (atomic_fetch_sub(&drain->held, 1) == 1) drain->done(drain->context);
}

void echo_drain_begin(echo_drain* drain, sy_drain_done done, void* context) {
  drain->done = done;
  drain->context = context;
  echo_drain_leave(drain);
}

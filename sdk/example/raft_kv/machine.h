/* The store as the state machine of the replicated log. */
#pragma once

#include "store.h"

#include <pthread.h>

typedef struct kv_machine {
  pthread_mutex_t mutex;
  kv_store* store;    /* under mutex: applied to by the log, read by sessions */
  kv_store* restored; /* from a snapshot, beside it */
  uint64_t applied;   /* under mutex */
  int displaced;      /* under mutex: another version of this plugin has the log */
  uint64_t restored_index;
  size_t padding; /* bytes added to each snapshot */
} kv_machine;

/* 0: no memory. [control] */
int kv_machine_init(kv_machine* machine, size_t padding);
void kv_machine_free(kv_machine* machine);

/* Registers it. [control] */
sy_status kv_machine_register(kv_machine* machine, const sy_host* host, sy_error* error);

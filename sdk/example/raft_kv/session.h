/* A client: one line of text in, one line out, in turn. */
#pragma once

#include "machine.h"

#include <switchyard/interfaces.h>
#include <switchyard/loops.h>
#include <switchyard/plugin.h>

#define KV_LINE_MAX (8u << 20)

typedef struct kv_session kv_session;

/* What the sessions of an instance share. */
typedef struct kv_service {
  const sy_host* host;
  const sy_loops* loops;
  const sy_interfaces* interfaces;
  sy_interface* raft;
  kv_machine machine;
  pthread_mutex_t mutex;
  pthread_cond_t less; /* of the two counts below */
  kv_session* first;   /* under mutex, as the rest */
  size_t sessions;
  size_t visits; /* of loops, posted and not yet over */
  int draining;
  sy_drain_done done;
  void* done_context;
} kv_service;

/* [loop] */
sy_status kv_session_serve(kv_service* service, sy_connection* connection);

/* Ends those that wait for a line; the others when they have answered, or `at_once`. `done` may be
 * NULL. [control] */
void kv_sessions_end(kv_service* service, int at_once, sy_drain_done done, void* context);

/* Waits until there is neither session nor visit. 0: not within `seconds`. [control] */
int kv_sessions_wait(kv_service* service, int seconds);

/* Answers the line that is being worked on; `line` is copied. [any thread] */
void kv_session_answer(kv_session* session, const char* line);

/* A connection served through its descriptor, as a library that insists on one would. */
#pragma once

#include "config.h"
#include "drain.h"
#include "link.h"

#include <stdint.h>

typedef struct echo_guest {
  echo_link link;
  int descriptor; /* non-blocking; owned */
  int greeted;
  uint64_t since; /* loops.now at its last progress */
  char* rest;     /* what the peer did not take yet, or NULL */
  size_t rest_at;
  size_t rest_size;
  const echo_config* config;
  echo_drain* drain;
} echo_guest;

/* Takes `descriptor`, also when it fails. NULL: no memory, or the drain is complete. [any thread]
 */
echo_guest*
echo_guest_create(int descriptor, uint64_t now, const echo_config* config, echo_drain* drain);

/* Answers bytes that were read already. 0: the guest is to be ended. One thread at a time. */
int echo_guest_answer(echo_guest* guest, const char* bytes, size_t size);

/* Does what can be done now: writes the rest, or reads and answers. 0: the guest is to be ended.
 * One thread at a time. */
int echo_guest_go_on(echo_guest* guest, uint64_t now);

/* What it waits for: POLLIN or POLLOUT. */
short echo_guest_events(const echo_guest* guest);

void echo_guest_end(echo_guest* guest);

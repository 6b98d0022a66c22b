/* A doubly linked ring; the owner of a link embeds it as its first member. */
#pragma once

typedef struct echo_link {
  struct echo_link* previous;
  struct echo_link* next;
} echo_link;

static inline void echo_ring_init(echo_link* ring) {
  ring->previous = ring;
  ring->next = ring;
}

static inline int echo_ring_empty(const echo_link* ring) {
  return ring->next == ring;
}

static inline void echo_link_remove(echo_link* link) {
  link->previous->next = link->next;
  link->next->previous = link->previous;
}

/* At the end: a ring is in the order in which its members came. */
static inline void echo_link_append(echo_link* ring, echo_link* link) {
  link->previous = ring->previous;
  link->next = ring;
  ring->previous->next = link;
  ring->previous = link;
}

/* What the commands of the log have made: pairs, how many commands there were, and a hash of all of
 * them in their order, so that two servers with the same sum have the same history. */
#pragma once

#include <switchyard/raft/consensus.h>

#include <stddef.h>
#include <stdint.h>

#define KV_CHAIN_SIZE 32

typedef struct kv_pair {
  char* key; /* NUL-terminated, both */
  char* value;
} kv_pair;

typedef struct kv_store {
  kv_pair* pairs; /* by key */
  size_t count;
  size_t room;
  uint64_t commands;
  unsigned char chain[KV_CHAIN_SIZE];
} kv_store;

/* NULL: no memory. */
kv_store* kv_store_create(void);
kv_store* kv_store_copy(const kv_store* store);
void kv_store_free(kv_store* store);

/* Does one command:
 *
 *     set KEY [VALUE…]    ok
 *     del KEY             ok
 *     get KEY             the value
 *     cas KEY OLD NEW     ok, or "fail" and the value there
 *
 * Anything else is counted, and ok. The result is malloc()ed; NULL: no memory, and the store must
 * not be used any more, as it may differ from others now. */
char* kv_store_apply(kv_store* store, sy_bytes command);

/* The value, or NULL. */
const char* kv_store_get(const kv_store* store, const char* key);

/* As text: "KVT1", commands, chain, number of pairs, then "HEX(KEY) HEX(VALUE)" each, a line each,
 * then `padding` times 'P'. */
sy_status kv_store_write(const kv_store* store, size_t padding, const sy_raft_sink* sink);

/* Reads that. SY_INVALID: it is something else. */
sy_status kv_store_read(const sy_raft_source* source, kv_store** store);

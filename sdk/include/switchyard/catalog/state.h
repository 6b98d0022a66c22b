/* The replicated state, for plugins that serve it: read a snapshot, watch, propose a command.
 * Tables, keys, records and commands are Consul's, in its msgpack; the catalog owns all of them. */
#pragma once

#include <switchyard/status.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SY_CATALOG_STATE "switchyard.catalog.state/1"

/* The state at one index. A snapshot or a watch belongs to the provider that gave it: functions of
 * the next one say SY_REVOKED to it, and release and unwatch do nothing. */
typedef struct sy_catalog_snapshot sy_catalog_snapshot;

typedef struct sy_catalog_watch sy_catalog_watch;

/* One record, and the index at which it was last written. Return 0 to go on, anything else to end
 * the scan. From inside scan. [the caller's thread] */
typedef uint32_t (*sy_catalog_visit)(
    void* context, sy_bytes key, sy_bytes record, uint64_t modify_index);

/* SY_OK: something watched has changed, and `index` is that of the change. SY_REVOKED: the provider
 * leaves, or has another state now: read it anew. At most once for a watch. [any thread] */
typedef void (*sy_catalog_changed)(void* context, sy_status status, uint64_t index);

/* How a command ended. SY_OK: it has been applied at `index`, and `result` is the answer of the
 * state machine. SY_REFUSED: it has been applied, and the state machine said no: `error`.
 * SY_UNSUPPORTED: this server does not lead; forward to the leader. SY_TIMED_OUT, SY_CLOSED: it is
 * not known whether it has been, or will be, applied. [any thread] */
typedef void (*sy_catalog_applied)(
    void* context, sy_status status, uint64_t index, sy_bytes result, sy_string error);

/* Provided by the catalog; `provider` is sy_lease.provider. */
typedef struct sy_catalog_state {
  uint32_t struct_size;
  uint32_t reserved;

  /* The state as this server has it now; `*index` is its last command's. Never blocks a writer.
   * Release it soon: what it sees is kept until then. SY_LIMIT: too many are held. [any thread] */
  sy_status (*snapshot)(void* provider, sy_catalog_snapshot** snapshot, uint64_t* index);

  /* [any thread] */
  void (*release)(void* provider, sy_catalog_snapshot* snapshot);

  /* Visits the record under `key`. SY_NOT_FOUND: there is none, or no such table. [any thread] */
  sy_status (*get)(
      void* provider,
      sy_catalog_snapshot* snapshot,
      sy_string table,
      sy_bytes key,
      sy_catalog_visit visit,
      void* context);

  /* Visits the records whose key begins with `prefix`, in the order of their bytes, from `from` on
   * (empty: from the first). SY_NOT_FOUND: no such table. Not on a loop. [any thread] */
  sy_status (*scan)(
      void* provider,
      sy_catalog_snapshot* snapshot,
      sy_string table,
      sy_bytes prefix,
      sy_bytes from,
      sy_catalog_visit visit,
      void* context);

  /* Calls `changed` as soon as a record whose key begins with `prefix` has been written or deleted
   * at an index above `index`, perhaps from inside. SY_LIMIT: too many watch. [any thread] */
  sy_status (*watch)(
      void* provider,
      sy_string table,
      sy_bytes prefix,
      uint64_t index,
      sy_catalog_changed changed,
      void* context,
      sy_catalog_watch** watch);

  /* Frees a watch, whether it has fired or not: `changed` has returned, or never comes, when this
   * returns. From inside `changed` it may be called, too. [any thread] */
  void (*unwatch)(void* provider, sy_catalog_watch* watch);

  /* Proposes a command: `type` is the first byte of Consul's messages to its state machine,
   * `command` the msgpack behind it (copied). `applied` comes exactly once, within `timeout`
   * (nanoseconds, above 0). SY_LIMIT: too many are under way, or it is too large; SY_UNSUPPORTED:
   * this server does not lead. [any thread] */
  sy_status (*propose)(
      void* provider,
      uint32_t type,
      sy_bytes command,
      uint64_t timeout,
      sy_catalog_applied applied,
      void* context);
} sy_catalog_state;

#ifdef __cplusplus
} /* extern "C" */
#endif

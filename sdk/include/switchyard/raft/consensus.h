/* A replicated log from any plugin: commands go in at the leader, come out of every server in the
 * same order, and are applied to a state machine that the plugin provides. */
#pragma once

#include <switchyard/journal.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SY_RAFT_CONSENSUS "switchyard.raft.consensus/1"

/* What a call may end with besides the common values. */
#define SY_RAFT_NOT_LEADER (SY_STATUS_PLUGIN - 1) /* nothing has happened: ask the leader */
#define SY_RAFT_UNKNOWN                                                                            \
  (SY_STATUS_PLUGIN - 2) /* leadership was lost: it may have happened, may yet happen, or not */
#define SY_RAFT_TRANSFERRING (SY_STATUS_PLUGIN - 3) /* nothing has happened: try again soon */
#define SY_RAFT_NOT_NOW                                                                            \
  (SY_STATUS_PLUGIN - 4) /* nothing has happened: an earlier change is not committed yet */

/* A committed command. */
typedef struct sy_raft_entry {
  uint64_t index;
  uint64_t term;
  sy_bytes data;
  sy_bytes extensions;
} sy_raft_entry;

/* Takes the results of a batch. */
typedef struct sy_raft_results {
  uint32_t struct_size;
  uint32_t reserved;
  void* provider_data;

  /* The result of the `position`-th entry of the batch, copied: what its propose ends with where it
   * was proposed. At most once for each; without it the result is empty. Inside apply only. */
  void (*set)(const struct sy_raft_results* results, size_t position, sy_bytes result);
} sy_raft_results;

/* Takes the bytes of a snapshot. */
typedef struct sy_raft_sink {
  uint32_t struct_size;
  uint32_t reserved;
  void* provider_data;

  /* Adds `bytes`, which are copied. May wait for the disk. Anything but SY_OK, so SY_CANCELLED:
   * give up, and return it. Inside write only. */
  sy_status (*write)(const struct sy_raft_sink* sink, sy_bytes bytes);
} sy_raft_sink;

/* Gives the bytes of a snapshot. */
typedef struct sy_raft_source {
  uint32_t struct_size;
  uint32_t reserved;
  void* provider_data;

  /* The next bytes; none at the end. They hold until the next call. Anything but SY_OK, so
   * SY_CANCELLED: give up, and return it. Inside restore only. */
  sy_status (*read)(const struct sy_raft_source* source, sy_bytes* bytes);
} sy_raft_source;

typedef uint32_t sy_raft_role;

#define SY_RAFT_FOLLOWER 0u
#define SY_RAFT_CANDIDATE 1u
#define SY_RAFT_LEADER 2u

/* Who leads, as far as this server knows. */
typedef struct sy_raft_leadership {
  uint32_t struct_size;
  sy_raft_role role; /* of this server */
  uint64_t term;
  sy_string id;      /* of the leader; may be empty where the address is known */
  sy_string address; /* empty: nobody is known to lead */
} sy_raft_leadership;

/* Its state survives a restart by itself: applied and durable() say how far. */
#define SY_RAFT_PERSISTENT 1u

/* The journal entry: the state machine. Its key is "machine"; there is one. Calls come one after
 * the other on threads of the provider, except that write may run beside all the others. */
typedef struct sy_raft_machine {
  uint32_t struct_size;
  uint32_t flags;
  void* context;

  /* The last entry that is in the state now. Asked whenever the provider is another one or this
   * state machine is, and apply goes on behind it. 0: none, and what a snapshot holds comes through
   * restore, the rest through apply. */
  uint64_t (*applied)(void* context);

  /* Applies `count` committed commands, in the order of their indexes, which may have gaps. Must do
   * the same on every server. What is not SY_OK is final: nothing more is applied here. */
  sy_status (*apply)(
      void* context,
      const sy_raft_entry* entries,
      size_t count,
      const sy_raft_results* results,
      sy_error* error);

  /* Freezes what has been applied so far for a snapshot, quickly: nothing is applied meanwhile. */
  sy_status (*capture)(void* context, void** view, sy_error* error);

  /* Writes the frozen state. */
  sy_status (*write)(void* context, void* view, const sy_raft_sink* sink, sy_error* error);

  /* `view` is not needed any more. After write, whatever that returned. */
  void (*release)(void* context, void* view);

  /* Reads a snapshot that stands for all entries up to `index` into a new state beside the present
   * one. On failure there is no new state. */
  sy_status (*restore)(
      void* context, uint64_t index, const sy_raft_source* source, sy_error* error);

  /* After a restore that has succeeded: 1, the new state takes the place of the present one; 0, it
   * is dropped. */
  void (*restored)(void* context, uint32_t keep);

  /* Leader, role or term have changed; the last of several changes may be the only one told. NULL:
   * never told. */
  void (*leadership)(void* context, const sy_raft_leadership* leadership);

  /* 1: it stands where the log is, and is applied to from now on. 0: another state machine has
   * taken its place, and this one stands still: what is read there is old. Told before a verify or
   * a barrier ends that began after it. NULL: never told. */
  void (*placed)(void* context, uint32_t placed);
} sy_raft_machine;

/* Called exactly once, never from inside the call that asked for it. `index` and `result` say
 * something with SY_OK only; `error` is valid during the call, and NULL with SY_OK. [any thread] */
typedef void (*sy_raft_done)(
    void* context, sy_status status, uint64_t index, sy_bytes result, const sy_error* error);

typedef uint32_t sy_raft_change_kind;

#define SY_RAFT_ADD_VOTER 0u    /* or promotes a nonvoter; of a voter, changes the address */
#define SY_RAFT_ADD_NONVOTER 1u /* of a voter or nonvoter, changes the address */
#define SY_RAFT_DEMOTE 2u
#define SY_RAFT_REMOVE 3u

typedef struct sy_raft_change {
  uint32_t struct_size;
  sy_raft_change_kind kind;
  sy_string id;
  sy_string address;       /* for the two that add */
  uint64_t previous_index; /* refuse if the latest configuration has another; 0: any */
} sy_raft_change;

typedef struct sy_raft_server {
  sy_string id;
  sy_string address;
  uint32_t voter; /* 1: it has a vote */
  uint32_t reserved;
} sy_raft_server;

/* What is the case at one moment. Strings and servers hold during the call. */
typedef struct sy_raft_state {
  uint32_t struct_size;
  sy_raft_role role;
  sy_string id;      /* of this server */
  sy_string address; /* of this server */
  sy_string leader_id;
  sy_string leader_address;
  uint64_t term;
  uint64_t last_index;  /* of the log */
  uint64_t first_index; /* of the log; above last_index when it is empty */
  uint64_t commit_index;
  uint64_t applied_index;
  uint64_t snapshot_index; /* of the latest snapshot; 0: there is none */
  uint64_t configuration_index;
  uint32_t configuration_committed; /* 0: a change is under way */
  uint32_t machine;                 /* 1: a state machine is registered */
  const sy_raft_server* servers;    /* of the latest configuration */
  size_t server_count;
} sy_raft_state;

typedef void (*sy_raft_tell)(void* context, const sy_raft_state* state);

/* Calls end within `timeout` nanoseconds (> 0, at most a day) with SY_TIMED_OUT: then it is unknown
 * whether they have happened or will. Arguments are copied. */
typedef struct sy_raft_consensus {
  sy_registrar registrar;

  /* Puts a command into the log. Ends with its index and the result of the state machine here, once
   * it is applied. SY_LIMIT: too many calls or bytes wait. [any thread] */
  sy_status (*propose)(
      void* provider,
      sy_bytes data,
      sy_bytes extensions,
      uint64_t timeout,
      sy_raft_done done,
      void* context);

  /* Ends when everything proposed before, by anybody, is applied here. [any thread] */
  sy_status (*barrier)(void* provider, uint64_t timeout, sy_raft_done done, void* context);

  /* Ends when a majority has confirmed, after this call, that this server leads, and everything
   * committed before it is applied here: what the state machine is asked now is not stale.
   * [any thread] */
  sy_status (*verify)(void* provider, uint64_t timeout, sy_raft_done done, void* context);

  /* Changes one server. SY_INVALID: the change leaves no valid configuration or none at all;
   * SY_RAFT_NOT_NOW. [any thread] */
  sy_status (*change)(
      void* provider,
      const sy_raft_change* change,
      uint64_t timeout,
      sy_raft_done done,
      void* context);

  /* Hands leadership to a voter, the one that is furthest if `server` is empty. SY_INVALID: no
   * other voter of that id. [any thread] */
  sy_status (*transfer)(
      void* provider, sy_string server, uint64_t timeout, sy_raft_done done, void* context);

  /* Takes a snapshot of what is applied. Ends with its index once it is durable, with SY_AGAIN when
   * no state machine is registered. [any thread] */
  sy_status (*snapshot)(void* provider, uint64_t timeout, sy_raft_done done, void* context);

  /* A persistent state machine says up to where its state survives a crash: the log is kept from
   * there on. Never falls. [any thread] */
  void (*durable)(void* provider, uint64_t index);

  /* Calls `tell` once, inside. SY_AGAIN, and no call, before the provider is active. [any thread]
   */
  sy_status (*state)(void* provider, sy_raft_tell tell, void* context);

  /* Writes the first configuration of a cluster on a server that has nothing yet; SY_EXISTS when it
   * has. Every founding server gets the same one, or one of them only. It ends all other calls, and
   * ends itself once the log is open again, with index 0. SY_LIMIT: one, or a recover, is under
   * way. [any thread] */
  sy_status (*bootstrap)(
      void* provider,
      const sy_raft_server* servers,
      size_t count,
      sy_raft_done done,
      void* context);

  /* Makes this server the only member of its cluster, whatever that was: for when a majority is
   * lost for good. Acknowledged commands that had not reached it are lost; the other servers must
   * be emptied before they are added again. Ends as bootstrap. [any thread] */
  sy_status (*recover)(void* provider, sy_raft_done done, void* context);
} sy_raft_consensus;

#ifdef __cplusplus
} /* extern "C" */
#endif

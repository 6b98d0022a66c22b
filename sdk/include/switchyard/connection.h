/* One connection, as a stream of clear bytes or as a descriptor. */
#pragma once

#include <switchyard/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sy_connection sy_connection;

/* Why a plugin ends a connection. The host counts every close by reason. */
typedef uint32_t sy_close_reason;

#define SY_CLOSE_FINISHED 0u       /* the conversation ended as its protocol provides */
#define SY_CLOSE_PEER_GONE 1u      /* the peer closed or reset */
#define SY_CLOSE_PROTOCOL_ERROR 2u /* the peer broke the protocol */
#define SY_CLOSE_TIMED_OUT 3u      /* the peer took too long */
#define SY_CLOSE_LIMIT 4u          /* the peer asked for more than a bound allows */
#define SY_CLOSE_DRAINED 5u        /* this side is going away */
#define SY_CLOSE_INTERNAL 6u       /* a fault on this side */

/* Called exactly once for each operation that returned SY_OK, unless close() comes first; never
 * from inside that call. Everything may be called from it, close() too. `transferred` is in bytes.
 * [loop] of the connection */
typedef void (*sy_io_done)(void* context, sy_status status, size_t transferred);

/* What the host knows of a connection. Strings are valid until the connection is closed and empty
 * where there is nothing to say. */
typedef struct sy_connection_info {
  uint32_t struct_size;  /* set by the caller */
  uint32_t loop;         /* the loop that serves it; the one on which its calls are made */
  uint64_t id;           /* unique in the life of the process; the `conn=` of the log */
  uint32_t tls;          /* 1 when the wire is TLS */
  int32_t tag;           /* the tag that routed it; -1 when ALPN or the listener did */
  sy_string protocol;    /* name of the protocol in the manifest that routed it */
  sy_string listener;    /* name in plugins.toml; empty for a dialled or adopted connection */
  sy_string alpn;        /* negotiated with TLS */
  sy_string server_name; /* SNI the peer asked for */
  sy_string peer_names;  /* verified names of the peer's certificate (DNS, URI), one a line */
  char remote[64];       /* "ip:port", NUL-terminated */
  char local[64];
} sy_connection_info;

/* The descriptor form of a connection. Once handed over the plugin owns `descriptor`. The host
 * keeps a duplicate that it watches for hang-up only, so close() alone does not end the connection:
 * call shutdown(descriptor, SHUT_RDWR) before it. */
typedef struct sy_descriptor {
  uint32_t struct_size;
  int32_t descriptor;  /* non-blocking, close-on-exec */
  sy_bytes read_ahead; /* bytes already read from it, to be taken before the descriptor's own; valid
                        * until the plugin's function in which they came returns to the host */
  uint64_t id;         /* as sy_connection_info.id */
} sy_descriptor;

/* What can be done with a connection. One read-side operation (wait_readable, read_some) and one
 * write-side operation (write) may be in flight; a call beyond that is SY_BUSY.
 * All calls: [loop] of this connection. */
typedef struct sy_connection_api {
  uint32_t struct_size;
  uint32_t reserved;

  /* Reads up to `capacity` (> 0) bytes that are there now. SY_OK with 0 transferred: the peer has
   * half-closed. SY_AGAIN: nothing now. SY_CLOSED: the connection is broken. */
  sy_status (*try_read)(
      sy_connection* connection, void* buffer, size_t capacity, size_t* transferred);

  /* Completes when try_read has something to say. Needs no buffer, so that an idle connection holds
   * none. */
  sy_status (*wait_readable)(sy_connection* connection, sy_io_done done, void* context);

  /* wait_readable and try_read in one. `buffer` belongs to the host until `done`; 0 bytes with
   * SY_OK means the peer has half-closed. */
  sy_status (*read_some)(
      sy_connection* connection, void* buffer, size_t capacity, sy_io_done done, void* context);

  /* Writes what fits now; `transferred` may be less than the slices hold. SY_AGAIN: none fits. The
   * next try_write or write begins with the bytes that were left, unchanged (TLS may have begun to
   * send them). At most SY_SLICES_MAX slices. */
  sy_status (*try_write)(
      sy_connection* connection, const sy_bytes* slices, size_t count, size_t* transferred);

  /* Writes everything. The bytes (not the array of slices) belong to the host until `done`. At most
   * SY_SLICES_MAX slices. A peer that does not read stalls this for ever: set a timer. */
  sy_status (*write)(
      sy_connection* connection,
      const sy_bytes* slices,
      size_t count,
      sy_io_done done,
      void* context);

  /* Half-closes: the peer reads to the end, this side can still read. After it no write. */
  sy_status (*shutdown_write)(sy_connection* connection);

  /* Makes operations in flight finish with SY_CANCELLED. Without one, does nothing. */
  void (*cancel)(sy_connection* connection);

  /* Ends the connection and frees it. Operations in flight are dropped: `done` is not called. */
  void (*close)(sy_connection* connection, sy_close_reason reason);

  /* Fills `info`. */
  sy_status (*describe)(sy_connection* connection, sy_connection_info* info);

  /* Turns the connection into its descriptor and frees it. SY_BUSY: an operation is in flight;
   * SY_LIMIT: no descriptor is left to watch it by; SY_UNSUPPORTED: the wire is TLS, use the pump
   * (pump.h). The connection is untouched then. */
  sy_status (*detach)(sy_connection* connection, sy_descriptor* descriptor);
} sy_connection_api;

#define SY_SLICES_MAX 16

/* Allocated by the host; ended by close() or detach(). */
struct sy_connection {
  const sy_connection_api* api;
};

#ifdef __cplusplus
} /* extern "C" */
#endif

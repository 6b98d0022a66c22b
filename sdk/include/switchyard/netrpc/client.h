/* Calling net/rpc methods of other servers over pooled yamux sessions. */
#pragma once

#include <switchyard/dial.h>
#include <switchyard/netrpc/endpoints.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SY_NETRPC_CLIENT "switchyard.netrpc.client/1"

typedef struct sy_netrpc_request {
  uint32_t struct_size;
  sy_dial_tls tls;       /* not SY_DIAL_INSECURE, behind which there is no yamux */
  sy_string address;     /* "ip:port" of the other server; with its neighbours key of the pool */
  sy_string server_name; /* verified when not empty */
  sy_string method;      /* "Service.Method" */
  sy_bytes body;         /* one msgpack object */
  uint64_t timeout;      /* nanoseconds for the whole call, dialling included; > 0 */
} sy_netrpc_request;

typedef struct sy_netrpc_client {
  uint32_t struct_size;
  uint32_t reserved;

  /* Starts a call; everything in `request` is copied. `done` is called exactly once, never from
   * inside: SY_OK with the server's error text or reply; otherwise the call did not come to an
   * answer. [any thread] */
  sy_status (*call)(
      void* provider,
      const sy_netrpc_request* request,
      sy_netrpc_done done,
      void* context,
      sy_netrpc_invocation** invocation);

  /* Ends a call early: `done` gets SY_CANCELLED. Not after `done`. [any thread] */
  void (*cancel)(void* provider, sy_netrpc_invocation* invocation);
} sy_netrpc_client;

#ifdef __cplusplus
} /* extern "C" */
#endif

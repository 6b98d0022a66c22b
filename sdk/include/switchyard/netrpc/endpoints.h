/* Answering Go net/rpc methods from any plugin, without knowing yamux or sockets. */
#pragma once

#include <switchyard/journal.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SY_NETRPC_ENDPOINTS "switchyard.netrpc.endpoints/1"

typedef struct sy_netrpc_call sy_netrpc_call;

/* How a call is answered: exactly one of reply, fail, drop and reject, exactly once, which ends the
 * call. */
typedef struct sy_netrpc_call_api {
  uint32_t struct_size;
  uint32_t reserved;

  /* Answers with one msgpack object. `body` is copied. [any thread] */
  void (*reply)(sy_netrpc_call* call, sy_bytes body);

  /* Answers with an error text; clients match on it word for word. Copied. [any thread] */
  void (*fail)(sy_netrpc_call* call, sy_string text);

  /* Closes the stream without an answer, so that the client tries another server. [any thread] */
  void (*drop)(sy_netrpc_call* call);

  /* "ip:port" of the caller, or "in-process". Valid until the call is answered. [any thread] */
  sy_string (*remote)(sy_netrpc_call* call);

  /* As fail, and then closes the stream: for a body that does not decode, of which the two sides
   * may disagree where it ends. In process the same as fail. [any thread] */
  void (*reject)(sy_netrpc_call* call, sy_string text);
} sy_netrpc_call_api;

struct sy_netrpc_call {
  const sy_netrpc_call_api* api;
};

/* Reachable through tag 7 too, and only there: the table of unauthenticated first contact. */
#define SY_NETRPC_INSECURE 1u

/* The journal entry; its key is "Service.Method". */
typedef struct sy_netrpc_endpoint {
  uint32_t struct_size;
  uint32_t flags;
  void* context;

  /* One request. `body` is one whole msgpack object, borrowed until this returns. Answer here or
   * later. [any thread] */
  void (*call)(void* context, sy_netrpc_call* call, sy_bytes body);

  /* The caller has gone or the server drains: answer soon, with what is known now. The call may be
   * answered by another thread at the same time. NULL: never told. [any thread] */
  void (*cancel)(void* context, sy_netrpc_call* call);
} sy_netrpc_endpoint;

typedef struct sy_netrpc_invocation sy_netrpc_invocation;

/* `error` is empty when the method succeeded; both are valid during the call. [any thread] */
typedef void (*sy_netrpc_done)(void* context, sy_status status, sy_string error, sy_bytes reply);

typedef struct sy_netrpc_endpoints {
  sy_registrar registrar;

  /* Calls a registered method in this process; `done` is called exactly once, perhaps from inside.
   * SY_NOT_FOUND, without calling `done`, when no endpoint has that name. [any thread] */
  sy_status (*invoke)(
      void* provider, sy_string method, sy_bytes body, sy_netrpc_done done, void* context);
} sy_netrpc_endpoints;

#ifdef __cplusplus
} /* extern "C" */
#endif

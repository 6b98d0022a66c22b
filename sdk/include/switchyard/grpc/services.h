/* Answering gRPC calls from any plugin, without linking gRPC: messages are bytes. */
#pragma once

#include <switchyard/grpc/status.h>
#include <switchyard/journal.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SY_GRPC_SERVICES "switchyard.grpc.services/1"

typedef struct sy_grpc_call sy_grpc_call;

/* What is known of a call when it begins. All of it is valid until the call has ended. */
typedef struct sy_grpc_call_info {
  uint32_t struct_size; /* set by the caller */
  uint32_t external;    /* 1: came through the external server; 0: through the internal one */
  uint32_t tls;         /* 1 when the wire is TLS */
  uint32_t reserved;
  uint64_t deadline;         /* as loops.now; UINT64_MAX: the client set none */
  sy_string method;          /* "/package.Service/Method" */
  sy_string authority;       /* as the client sent it; never to be trusted */
  sy_string remote;          /* "ip:port" of the client */
  sy_string server_name;     /* as sy_connection_info.server_name */
  sy_string peer_names;      /* as sy_connection_info.peer_names */
  sy_grpc_metadata metadata; /* the client's, without gRPC's own */
} sy_grpc_call_info;

/* What can be done with a call. One send and one receive may be in flight; a call beyond that is
 * SY_BUSY, one that the kind of the method has not SY_UNSUPPORTED. Once the call is over
 * (cancelled, or finish was called) operations say SY_CANCELLED, and those in flight complete with
 * it. All calls: [any thread] */
typedef struct sy_grpc_call_api {
  uint32_t struct_size;
  uint32_t reserved;

  /* Fills `info`. */
  void (*describe)(sy_grpc_call* call, sy_grpc_call_info* info);

  /* Sends the initial metadata now instead of with the first message. At most once, before the
   * first send. Copied. */
  sy_status (*send_metadata)(sy_grpc_call* call, sy_grpc_metadata metadata);

  /* Sends a message of a server-streaming or bidirectional method. Copied. `sent` may be NULL;
   * the next send is SY_BUSY until this one has completed. */
  sy_status (*send)(sy_grpc_call* call, sy_bytes message, sy_grpc_sent sent, void* context);

  /* Asks for the next message of a client-streaming or bidirectional method. What is not asked for
   * waits at the client. */
  sy_status (*receive)(sy_grpc_call* call, sy_grpc_received received, void* context);

  /* Ends the call, exactly once. `message`, the answer of a unary or client-streaming method, is
   * sent first when the code is SY_GRPC_OK and ignored for the other kinds; a send in flight goes
   * out before it. Everything is copied. `trailers` may have count 0. */
  void (*finish)(
      sy_grpc_call* call,
      const sy_grpc_status* status,
      sy_bytes message,
      sy_grpc_metadata trailers);
} sy_grpc_call_api;

/* Allocated by the provider; valid until `ended` of its service has returned, or until finish has
 * returned when the service has none. */
struct sy_grpc_call {
  const sy_grpc_call_api* api;
  void* user; /* the service's own; NULL at the beginning */
};

/* Who can call a service; at least one of the first two. */
#define SY_GRPC_ON_INTERNAL 1u /* tag 8 and its ALPN name, on the server port */
#define SY_GRPC_ON_EXTERNAL 2u /* listeners with protocol = "grpc.external" */
#define SY_GRPC_PRIVATE 4u     /* not shown by reflection: for programs of this product only */

typedef struct sy_grpc_method {
  uint32_t struct_size;
  sy_grpc_kind kind;
  sy_string name; /* without service and slashes */
  void* context;  /* what `call` gets; NULL: the context of the service */

  /* A call begins. `message` is the one request of a unary or server-streaming method, borrowed for
   * this call; empty for the other kinds. Answer here or later. [any thread] */
  void (*call)(void* context, sy_grpc_call* call, sy_bytes message);
} sy_grpc_method;

/* The journal entry; its key is the full name, "package.Service". What it points to stays valid
 * until the registration is removed. */
typedef struct sy_grpc_service {
  uint32_t struct_size;
  uint32_t flags; /* SY_GRPC_ON_… */
  void* context;  /* what `cancel` and `ended` get */

  /* `method_count` addresses, so that sy_grpc_method can grow. */
  const sy_grpc_method* const* methods;
  size_t method_count;

  /* A serialized google.protobuf.FileDescriptorSet with the service's file and all it imports; for
   * reflection. Empty: the service is listed without its messages. */
  sy_bytes descriptor_set;

  /* The client has gone, the deadline has passed, or the server drains: finish soon. The call may
   * be finished by another thread at the same time. NULL: never told. [any thread] */
  void (*cancel)(void* context, sy_grpc_call* call);

  /* The last that is heard of a call, after finish and after every completion: free what `user`
   * points to. NULL: not told. [any thread] */
  void (*ended)(void* context, sy_grpc_call* call);
} sy_grpc_service;

typedef struct sy_grpc_services {
  sy_registrar registrar;
} sy_grpc_services;

#ifdef __cplusplus
} /* extern "C" */
#endif

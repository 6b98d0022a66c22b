/* Calling gRPC services of other servers, without linking gRPC: messages are bytes. */
#pragma once

#include <switchyard/dial.h>
#include <switchyard/grpc/status.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SY_GRPC_CLIENT "switchyard.grpc.client/1"

/* One server by its address: dialled at the first call, and again after the connection broke, no
 * sooner than a growing wait allows. An opaque number, never looked into: it names a channel of the
 * provider that opened it and of no other, so functions of a later provider say SY_REVOKED. */
typedef struct sy_grpc_channel sy_grpc_channel;

typedef struct sy_grpc_channel_options {
  uint32_t struct_size;
  uint32_t reserved;
  const sy_dial_options* dial; /* copied; its timeout is that of one attempt */
  sy_string authority;         /* sent as :authority; empty: dial->server_name, else its address */
  uint64_t max_receive;        /* bytes of one message; 0: 4 MiB */
  uint64_t max_send;           /* bytes of one message; 0: no limit */
  uint64_t keepalive;          /* nanoseconds between pings while a call is open; 0: none */
} sy_grpc_channel_options;

typedef struct sy_grpc_request {
  uint32_t struct_size;
  sy_grpc_kind kind;
  sy_string method; /* "/package.Service/Method" */
  sy_grpc_metadata metadata;
  sy_bytes message; /* the one request of a unary or server-streaming method */
  uint64_t timeout; /* nanoseconds for the whole call, dialling included; UINT64_MAX: none */
} sy_grpc_request;

typedef struct sy_grpc_stream sy_grpc_stream;

/* What can be done with a call that was started. One send and one receive may be in flight; a call
 * beyond that is SY_BUSY, one that the kind of the method has not SY_UNSUPPORTED; once the call is
 * over SY_CANCELLED. [any thread] */
typedef struct sy_grpc_stream_api {
  uint32_t struct_size;
  uint32_t reserved;

  /* Sends a message of a client-streaming or bidirectional method. Copied. `sent` may be NULL. */
  sy_status (*send)(sy_grpc_stream* stream, sy_bytes message, sy_grpc_sent sent, void* context);

  /* No message follows; not while a send is in flight. */
  sy_status (*finish_sending)(sy_grpc_stream* stream);

  /* Asks for the next message, also for the one answer of a unary or client-streaming method. */
  sy_status (*receive)(sy_grpc_stream* stream, sy_grpc_received received, void* context);

  /* Ends the call early: `ended` gets SY_GRPC_CANCELLED unless it has ended already. */
  void (*cancel)(sy_grpc_stream* stream);
} sy_grpc_stream_api;

/* Allocated by the provider; valid until `ended` has returned. */
struct sy_grpc_stream {
  const sy_grpc_stream_api* api;
};

/* Told of one call. Never from inside the function that caused it; metadata and status are borrowed
 * for the call. [any thread] */
typedef struct sy_grpc_events {
  uint32_t struct_size;
  uint32_t reserved;

  /* The server's initial metadata, at most once, before the first message. NULL: not told. */
  void (*metadata)(void* context, sy_grpc_stream* stream, sy_grpc_metadata metadata);

  /* The last that is heard of the call, exactly once, after every completion. */
  void (*ended)(
      void* context,
      sy_grpc_stream* stream,
      const sy_grpc_status* status,
      sy_grpc_metadata trailers);
} sy_grpc_events;

/* The whole answer of a unary call. `message` is empty unless the code is SY_GRPC_OK. Called
 * exactly once, never from inside unary; all borrowed. [any thread] */
typedef void (*sy_grpc_answered)(
    void* context,
    const sy_grpc_status* status,
    sy_bytes message,
    sy_grpc_metadata metadata,
    sy_grpc_metadata trailers);

typedef struct sy_grpc_client {
  uint32_t struct_size;
  uint32_t reserved;

  /* Makes a channel; nothing is dialled yet. [any thread] */
  sy_status (*open)(
      void* provider,
      const sy_grpc_channel_options* options,
      sy_grpc_channel** channel,
      sy_error* error);

  /* Cancels the calls on it and frees it when they have ended; nothing for the channel of another
   * provider. [any thread] */
  void (*close)(void* provider, sy_grpc_channel* channel);

  /* Starts a call; everything in `request` is copied, `events` stays valid until `ended`.
   * SY_REVOKED: the channel is not of this provider, open it anew. [any thread] */
  sy_status (*call)(
      void* provider,
      sy_grpc_channel* channel,
      const sy_grpc_request* request,
      const sy_grpc_events* events,
      void* context,
      sy_grpc_stream** stream);

  /* Calls a unary method. SY_REVOKED as for `call`. [any thread] */
  sy_status (*unary)(
      void* provider,
      sy_grpc_channel* channel,
      const sy_grpc_request* request,
      sy_grpc_answered answered,
      void* context);
} sy_grpc_client;

#ifdef __cplusplus
} /* extern "C" */
#endif

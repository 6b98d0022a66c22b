/* What both sides of a gRPC call speak of: status, metadata, the kind of a method. */
#pragma once

#include <switchyard/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How a call ended, in the numbers of the wire. Unknown ones count as SY_GRPC_UNKNOWN. */
typedef uint32_t sy_grpc_code;

#define SY_GRPC_OK 0u
#define SY_GRPC_CANCELLED 1u
#define SY_GRPC_UNKNOWN 2u
#define SY_GRPC_INVALID_ARGUMENT 3u
#define SY_GRPC_DEADLINE_EXCEEDED 4u
#define SY_GRPC_NOT_FOUND 5u
#define SY_GRPC_ALREADY_EXISTS 6u
#define SY_GRPC_PERMISSION_DENIED 7u
#define SY_GRPC_RESOURCE_EXHAUSTED 8u
#define SY_GRPC_FAILED_PRECONDITION 9u
#define SY_GRPC_ABORTED 10u
#define SY_GRPC_OUT_OF_RANGE 11u
#define SY_GRPC_UNIMPLEMENTED 12u
#define SY_GRPC_INTERNAL 13u
#define SY_GRPC_UNAVAILABLE 14u
#define SY_GRPC_DATA_LOSS 15u
#define SY_GRPC_UNAUTHENTICATED 16u

typedef struct sy_grpc_status {
  uint32_t struct_size;
  sy_grpc_code code;
  sy_string message; /* UTF-8 */
  sy_bytes details;  /* a serialized google.rpc.Status (grpc-status-details-bin), or empty */
} sy_grpc_status;

/* One entry of metadata. Keys are lower case; the value of a key that ends in "-bin" is any bytes,
 * of another printable ASCII. Keys that begin with "grpc-" or ':' are gRPC's own. */
typedef struct sy_grpc_metadata_entry {
  sy_string key;
  sy_bytes value;
} sy_grpc_metadata_entry;

/* In the order of the wire; a key may repeat. */
typedef struct sy_grpc_metadata {
  const sy_grpc_metadata_entry* entries;
  size_t count;
} sy_grpc_metadata;

/* Which sides send a stream of messages instead of one. */
typedef uint32_t sy_grpc_kind;

#define SY_GRPC_UNARY 0u
#define SY_GRPC_CLIENT_STREAMING 1u
#define SY_GRPC_SERVER_STREAMING 2u
#define SY_GRPC_BIDIRECTIONAL 3u

/* A message has been sent as far as flow control asks for: the next may follow. Called exactly once
 * for each operation that returned SY_OK, never from inside it. [any thread] */
typedef void (*sy_grpc_sent)(void* context, sy_status status);

/* SY_OK: a message, borrowed for the call. SY_CLOSED: the other side has sent its last one,
 * or a client has gone whose cancellation gRPC tells just afterwards.
 * SY_CANCELLED: the call is over. Otherwise as sy_grpc_sent. [any thread] */
typedef void (*sy_grpc_received)(void* context, sy_status status, sy_bytes message);

#ifdef __cplusplus
} /* extern "C" */
#endif

/* Results, byte ranges and errors: the words every other header uses. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How a call ended. Negative values are failures; values below SY_STATUS_PLUGIN are a plugin's own.
 * New values may appear in a later minor: treat an unknown one as SY_INTERNAL. */
typedef int32_t sy_status;

#define SY_OK 0
#define SY_AGAIN (-1)        /* nothing now; wait and try again */
#define SY_BUSY (-2)         /* an operation of this kind is already in flight */
#define SY_CANCELLED (-3)    /* ended by cancel(), drain or shutdown */
#define SY_CLOSED (-4)       /* the peer or the network ended the connection */
#define SY_TIMED_OUT (-5)    /* a limit in time passed */
#define SY_LIMIT (-6)        /* a limit in number or size is reached */
#define SY_INVALID (-7)      /* an argument, a configuration or a message is wrong */
#define SY_NOT_FOUND (-8)    /* no such name */
#define SY_EXISTS (-9)       /* the name is taken */
#define SY_UNSUPPORTED (-10) /* this host, plugin or connection cannot do it */
#define SY_REVOKED (-11)     /* the provider behind a handle has gone */
#define SY_REFUSED (-12)     /* the other side said no (TLS verification, connection refused) */
#define SY_NO_MEMORY (-13)
#define SY_INTERNAL (-14) /* a bug on the side that returns it */
#define SY_STATUS_PLUGIN (-1000)

/* Text: UTF-8, `size` bytes, not NUL-terminated. Borrowed for the call unless said otherwise. */
typedef struct sy_string {
  const char* data;
  size_t size;
} sy_string;

/* Bytes. Borrowed for the call unless said otherwise. */
typedef struct sy_bytes {
  const void* data;
  size_t size;
} sy_bytes;

#define SY_ERROR_TEXT_SIZE 500

/* Why a call failed, in one sentence for the operator: what, where and what to do. The caller owns
 * it and sets struct_size; the callee fills `code` and `text` (NUL-terminated) only when it fails.
 */
typedef struct sy_error {
  uint32_t struct_size;
  sy_status code;
  char text[SY_ERROR_TEXT_SIZE];
} sy_error;

/* Called once, later, with what its caller asked to have back. */
typedef void (*sy_callback)(void* context);

#ifdef __cplusplus
} /* extern "C" */
#endif

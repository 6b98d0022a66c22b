/* Connections a plugin opens: the host resolves, connects, does TLS and writes the tag. */
#pragma once

#include <switchyard/connection.h>
#include <switchyard/host.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SY_DIAL "switchyard.host.dial/1"

#define SY_DIAL_NO_TAG (-1)

typedef uint32_t sy_dial_tls;

#define SY_DIAL_CLEAR 0u    /* no TLS */
#define SY_DIAL_TLS 1u      /* tag 3, handshake, then the inner tag */
#define SY_DIAL_ALPN 2u     /* TLS at once, the ALPN name says the protocol; no tag is written */
#define SY_DIAL_INSECURE 3u /* tag 7, handshake without client certificate, no inner tag */
#define SY_DIAL_OUTGOING 4u /* SY_DIAL_TLS if plugins.toml says tls.verify_outgoing, else clear */

typedef struct sy_dial_options {
  uint32_t struct_size;
  sy_dial_tls tls;
  int32_t tag; /* first byte of the (inner) stream, or SY_DIAL_NO_TAG; not for ALPN and INSECURE */
  uint32_t use_certificate; /* 1: show the host's own certificate when the server asks */
  sy_string address;        /* "ip:port", "[ip]:port" or "name:port" */
  sy_string alpn;           /* for SY_DIAL_ALPN; the dial fails when it is not selected */
  sy_string server_name;    /* sent as SNI and verified in the certificate; empty: chain only */
  sy_string trust_roots;    /* PEM; empty: the host's tls.ca */
  uint64_t timeout;         /* nanoseconds for everything up to the tag; 0: the host's limit */
} sy_dial_options;

/* `connection` is NULL unless status is SY_OK; `error` is valid during the call.
 * [loop] */
typedef void (*sy_dial_done)(
    void* context, sy_status status, sy_connection* connection, const sy_error* error);

typedef struct sy_dial {
  uint32_t struct_size;
  uint32_t reserved;

  /* Opens a connection on the calling loop; `done` is called exactly once, within the timeout and
   * never from inside. Not before activate(). Options are copied. SY_CANCELLED once the plugin
   * drains. [loop] */
  sy_status (*dial)(
      const sy_host* host, const sy_dial_options* options, sy_dial_done done, void* context);

  /* Ends the dials that were begun with `context` on the calling loop: `done` comes with
   * SY_CANCELLED, later. Nothing when there is none. [loop] */
  void (*cancel)(const sy_host* host, void* context);
} sy_dial;

#ifdef __cplusplus
} /* extern "C" */
#endif

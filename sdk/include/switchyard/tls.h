/* Certificates of a plugin's own, for the names that clients ask for with SNI. Handshakes and keys
 * stay with the host; a plugin sees no key but those it brings. */
#pragma once

#include <switchyard/host.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SY_TLS "switchyard.host.tls/1"

/* What is asked of a client that names this server. */
typedef uint32_t sy_tls_clients;

#define SY_TLS_CLIENTS_ANY 0u      /* no certificate is asked for */
#define SY_TLS_CLIENTS_VERIFIED 1u /* one is asked for; who shows one must show a good one */
#define SY_TLS_CLIENTS_REQUIRED 2u /* the same, and who shows none is refused */

typedef struct sy_tls_certificate sy_tls_certificate;

/* Everything is copied. */
typedef struct sy_tls_identity {
  uint32_t struct_size;
  sy_tls_clients clients;
  sy_string server_name;  /* as in SNI, lower-case; "*.example" stands for one label more */
  sy_string certificate;  /* PEM: the server's, then what leads to its root */
  sy_string key;          /* PEM, of that certificate */
  sy_string client_roots; /* PEM: who signs clients; not empty unless SY_TLS_CLIENTS_ANY */
} sy_tls_identity;

typedef struct sy_tls {
  uint32_t struct_size;
  uint32_t reserved;

  /* Has connections that name `server_name` get this certificate, on every listener that speaks
   * TLS, from the activation of the plugin until it leaves. Names of another plugin and of the
   * host's own certificate are SY_EXISTS. Of two generations of one plugin the one that serves has
   * its certificates used; a connection keeps what it began with. SY_INVALID: PEM that cannot be
   * read, a key of another certificate, a name that is none; the error says which. [control] */
  sy_status (*install)(
      const sy_host* host,
      const sy_tls_identity* identity,
      sy_tls_certificate** certificate,
      sy_error* error);

  /* The same name with another certificate, key, roots or rule, at once for new connections. On
   * failure the old stay. [control] */
  sy_status (*replace)(
      sy_tls_certificate* certificate, const sy_tls_identity* identity, sy_error* error);

  /* New connections that ask for the name get the host's certificate. What is not removed is
   * removed by the host when the plugin stops. [control] */
  void (*remove)(sy_tls_certificate* certificate);
} sy_tls;

#ifdef __cplusplus
} /* extern "C" */
#endif

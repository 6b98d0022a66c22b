/* Frozen layout, signatures and values of the interfaces that nothing provides yet: a provider and
 * its consumers are built at different times. */
#include <switchyard/catalog/state.h>
#include <switchyard/control.h>
#include <switchyard/tls.h>

#define FROZEN(type, field, at) _Static_assert(offsetof(type, field) == (at), #type "." #field)
#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type)
#define PINNED(function, ...)                                                                      \
  _Static_assert(_Generic((function), __VA_ARGS__ : 1, default : 0), #function)
#define FIELD(type, field) (((type*)0)->field)
#define CALLBACK(type) ((type)0)
#define IS(name, value) _Static_assert((name) == (value), #name)
#define ID_SIZE(id, bytes) _Static_assert(sizeof(id) == (bytes), #id)

ID_SIZE(SY_CATALOG_STATE, sizeof "switchyard.catalog.state/1");
ID_SIZE(SY_CONTROL, sizeof "switchyard.host.control/1");
ID_SIZE(SY_TLS, sizeof "switchyard.host.tls/1");

FROZEN(sy_catalog_state, struct_size, 0);
FROZEN(sy_catalog_state, snapshot, 8);
FROZEN(sy_catalog_state, release, 16);
FROZEN(sy_catalog_state, get, 24);
FROZEN(sy_catalog_state, scan, 32);
FROZEN(sy_catalog_state, watch, 40);
FROZEN(sy_catalog_state, unwatch, 48);
FROZEN(sy_catalog_state, propose, 56);
SIZE(sy_catalog_state, 64);

PINNED(CALLBACK(sy_catalog_visit), uint32_t (*)(void*, sy_bytes, sy_bytes, uint64_t));
PINNED(CALLBACK(sy_catalog_changed), void (*)(void*, sy_status, uint64_t));
PINNED(CALLBACK(sy_catalog_applied), void (*)(void*, sy_status, uint64_t, sy_bytes, sy_string));
PINNED(FIELD(sy_catalog_state, snapshot), sy_status (*)(void*, sy_catalog_snapshot**, uint64_t*));
PINNED(FIELD(sy_catalog_state, release), void (*)(void*, sy_catalog_snapshot*));
PINNED(
    FIELD(sy_catalog_state, get),
    sy_status (*)(void*, sy_catalog_snapshot*, sy_string, sy_bytes, sy_catalog_visit, void*));
PINNED(
    FIELD(sy_catalog_state, scan),
    sy_status (*)(
        void*, sy_catalog_snapshot*, sy_string, sy_bytes, sy_bytes, sy_catalog_visit, void*));
PINNED(
    FIELD(sy_catalog_state, watch),
    sy_status (*)(
        void*, sy_string, sy_bytes, uint64_t, sy_catalog_changed, void*, sy_catalog_watch**));
PINNED(FIELD(sy_catalog_state, unwatch), void (*)(void*, sy_catalog_watch*));
PINNED(
    FIELD(sy_catalog_state, propose),
    sy_status (*)(void*, uint32_t, sy_bytes, uint64_t, sy_catalog_applied, void*));

FROZEN(sy_control, struct_size, 0);
FROZEN(sy_control, request, 8);
SIZE(sy_control, 16);
PINNED(CALLBACK(sy_control_line), void (*)(void*, sy_string));
PINNED(CALLBACK(sy_control_done), void (*)(void*, sy_status, sy_string));
PINNED(
    FIELD(sy_control, request),
    sy_status (*)(const sy_host*, sy_string, sy_control_line, sy_control_done, void*));

IS(SY_TLS_CLIENTS_ANY, 0);
IS(SY_TLS_CLIENTS_VERIFIED, 1);
IS(SY_TLS_CLIENTS_REQUIRED, 2);
FROZEN(sy_tls_identity, struct_size, 0);
FROZEN(sy_tls_identity, clients, 4);
FROZEN(sy_tls_identity, server_name, 8);
FROZEN(sy_tls_identity, certificate, 24);
FROZEN(sy_tls_identity, key, 40);
FROZEN(sy_tls_identity, client_roots, 56);
SIZE(sy_tls_identity, 72);
FROZEN(sy_tls, install, 8);
FROZEN(sy_tls, replace, 16);
FROZEN(sy_tls, remove, 24);
SIZE(sy_tls, 32);
PINNED(
    FIELD(sy_tls, install),
    sy_status (*)(const sy_host*, const sy_tls_identity*, sy_tls_certificate**, sy_error*));
PINNED(
    FIELD(sy_tls, replace), sy_status (*)(sy_tls_certificate*, const sy_tls_identity*, sy_error*));
PINNED(FIELD(sy_tls, remove), void (*)(sy_tls_certificate*));

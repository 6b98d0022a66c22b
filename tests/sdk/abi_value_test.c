/* Frozen values of the plugin ABI. A failure here is a broken promise, not a stale test: a new
 * value gets a number of its own, and a line here. */
#include <switchyard/connection.h>
#include <switchyard/dial.h>
#include <switchyard/host.h>
#include <switchyard/interfaces.h>
#include <switchyard/journal.h>
#include <switchyard/loops.h>
#include <switchyard/metrics.h>
#include <switchyard/netrpc/client.h>
#include <switchyard/netrpc/endpoints.h>
#include <switchyard/plugin.h>
#include <switchyard/status.h>
#include <switchyard/threads.h>
#include <switchyard/version.h>

#define IS(name, value) _Static_assert((name) == (value), #name)
#define TYPE_IS(name, type) _Static_assert(_Generic((name)0, type : 1, default : 0), #name)
#define ID_IS(name, text)                                                                          \
  _Static_assert(sizeof(name) == sizeof(text) && __builtin_strcmp(name, text) == 0, #name)

TYPE_IS(sy_close_reason, uint32_t);
TYPE_IS(sy_dial_tls, uint32_t);
TYPE_IS(sy_log_level, uint32_t);
TYPE_IS(sy_status, int32_t);

IS(SY_CLOSE_FINISHED, 0u);
IS(SY_CLOSE_PEER_GONE, 1u);
IS(SY_CLOSE_PROTOCOL_ERROR, 2u);
IS(SY_CLOSE_TIMED_OUT, 3u);
IS(SY_CLOSE_LIMIT, 4u);
IS(SY_CLOSE_DRAINED, 5u);
IS(SY_CLOSE_INTERNAL, 6u);
IS(SY_SLICES_MAX, 16);
IS(SY_DIAL_NO_TAG, -1);
IS(SY_DIAL_CLEAR, 0u);
IS(SY_DIAL_TLS, 1u);
IS(SY_DIAL_ALPN, 2u);
IS(SY_DIAL_INSECURE, 3u);
IS(SY_DIAL_OUTGOING, 4u);
IS(SY_LOG_TRACE, 0u);
IS(SY_LOG_DEBUG, 1u);
IS(SY_LOG_INFO, 2u);
IS(SY_LOG_WARN, 3u);
IS(SY_LOG_ERROR, 4u);
IS(SY_NO_LOOP, UINT32_MAX);
IS(SY_NETRPC_INSECURE, 1u);
IS(SY_PLUGIN_MAGIC, 0x64726179u);
IS(SY_NOTE_TYPE, 1u);
IS(SY_OK, 0);
IS(SY_AGAIN, -1);
IS(SY_BUSY, -2);
IS(SY_CANCELLED, -3);
IS(SY_CLOSED, -4);
IS(SY_TIMED_OUT, -5);
IS(SY_LIMIT, -6);
IS(SY_INVALID, -7);
IS(SY_NOT_FOUND, -8);
IS(SY_EXISTS, -9);
IS(SY_UNSUPPORTED, -10);
IS(SY_REVOKED, -11);
IS(SY_REFUSED, -12);
IS(SY_NO_MEMORY, -13);
IS(SY_INTERNAL, -14);
IS(SY_STATUS_PLUGIN, -1000);
IS(SY_ERROR_TEXT_SIZE, 500);

ID_IS(SY_DIAL, "switchyard.host.dial/1");
ID_IS(SY_INTERFACES, "switchyard.host.interfaces/1");
ID_IS(SY_JOURNAL, "switchyard.host.journal/1");
ID_IS(SY_LOOPS, "switchyard.host.loops/1");
ID_IS(SY_METRICS, "switchyard.host.metrics/1");
ID_IS(SY_NETRPC_CLIENT, "switchyard.netrpc.client/1");
ID_IS(SY_NETRPC_ENDPOINTS, "switchyard.netrpc.endpoints/1");
ID_IS(SY_PLUGIN_SYMBOL, "switchyard_plugin_v0");
ID_IS(SY_NOTE_SECTION, ".note.switchyard");
ID_IS(SY_NOTE_NAME, "switchyard");
ID_IS(SY_THREADS, "switchyard.host.threads/1");

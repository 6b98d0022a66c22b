/* What the host calls, in the order of a plugin's life. Normative: ABI.md of the SDK. */
#include "guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <switchyard_manifest.h>

/* The sentence reaches the operator: what is wrong, where, and what to do about it. */
static sy_status failed(sy_error* error, sy_status code, const char* sentence) {
  error->code = code;
  snprintf(error->text, sizeof error->text, "%s", sentence);
  return code;
}

static sy_status init(const sy_host* host, sy_string config, sy_instance** made, sy_error* error) {
  (void)config; /* an empty table: there is no check_config */
  const sy_loops* const loops = host->service(host, SY_LOOPS);
  if (loops == NULL) return failed(error, SY_UNSUPPORTED, "this host has no " SY_LOOPS);
  sy_instance* const instance = calloc(1, sizeof *instance);
  room* const rooms = calloc(loops->count, sizeof *rooms);
  if (instance == NULL || rooms == NULL) {
    free(instance);
    free(rooms);
    return failed(error, SY_NO_MEMORY, "out of memory");
  }

  for (uint32_t at = 0; at < loops->count; ++at)
    rooms[at].instance = instance;
  instance->host = host;
  instance->loops = loops;
  instance->rooms = rooms;
  pthread_mutex_init(&instance->mutex, NULL);
  pthread_cond_init(&instance->changed, NULL);
  *made = instance;
  return SY_OK;
}

/* Get ready: threads, tables. Take nothing that a second instance could not have, too. */
static sy_status start(sy_instance* instance, sy_error* error) {
  (void)instance, (void)error;
  return SY_OK;
}

/* Begin work of your own: dial, take what is exclusive. */
static sy_status activate(sy_instance* instance, sy_error* error) {
  (void)instance, (void)error;
  return SY_OK;
}

static sy_status serve(sy_instance* instance, uint32_t protocol, sy_connection* connection) {
  (void)protocol; /* SY_PROTOCOL_… of switchyard_manifest.h; there is one */
  return guest_enter(instance, connection);
}

static sy_status health(sy_instance* instance, sy_error* error) {
  (void)instance, (void)error;
  return SY_OK;
}

static sy_status
drain(sy_instance* instance, uint64_t deadline, sy_drain_done done, void* context) {
  (void)deadline; /* the host keeps it: abort_all comes then */
  guests_drain(instance, done, context);
  return SY_OK;
}

static void abort_all(sy_instance* instance) {
  guests_abort(instance);
}

static sy_status stop(sy_instance* instance, sy_error* error) {
  if (guests_wait(instance)) return SY_OK;
  return failed(error, SY_TIMED_OUT, "a connection does not end");
}

static void destroy(sy_instance* instance) {
  pthread_cond_destroy(&instance->changed);
  pthread_mutex_destroy(&instance->mutex);
  free(instance->rooms);
  free(instance);
}

SY_MANIFEST_NOTE(SY_MANIFEST_JSON);

SY_EXPORT const sy_plugin switchyard_plugin_v0;

const sy_plugin switchyard_plugin_v0 = {
    .magic = SY_PLUGIN_MAGIC,
    .struct_size = sizeof(sy_plugin),
    .abi_major = SY_ABI_MAJOR,
    .abi_minor = SY_ABI_MINOR,
    .id = SY_MANIFEST_ID,
    .version = SY_MANIFEST_VERSION,
    .manifest = SY_MANIFEST_JSON,
    .init = init,
    .start = start,
    .activate = activate,
    .serve = serve,
    .health = health,
    .drain = drain,
    .abort_all = abort_all,
    .stop = stop,
    .destroy = destroy,
};

/* The raft_kv plugin: what the host calls. */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <switchyard_manifest.h>

#define STOP_LIMIT 5 /* seconds for sessions whose calls are about to end */
#define PADDING_MAX (1ul << 30)

struct sy_instance {
  kv_service service;
};

static sy_status failed(sy_error* error, sy_status status, const char* text) {
  if (error != NULL) {
    error->code = status;
    snprintf(error->text, sizeof error->text, "%s", text);
  }
  return status;
}

/* {} or {"snapshot_padding":NUMBER}: bytes added to each snapshot, to make it large. */
static sy_status read_config(sy_string config, size_t* padding, sy_error* error) {
  char text[64] = "{}";
  char end = '\0';
  unsigned long number = 0;
  *padding = 0;
  if (config.size >= sizeof text)
    return failed(error, SY_INVALID, "config: snapshot_padding at most");
  if (config.size != 0) {
    memcpy(text, config.data, config.size);
    text[config.size] = '\0';
  }
  if (strcmp(text, "{}") == 0) return SY_OK;
  if (sscanf(text, "{\"snapshot_padding\":%10lu%c", &number, &end) != 2 || end != '}' ||
      number > PADDING_MAX) {
    return failed(
        error, SY_INVALID, "config: the only key is snapshot_padding, a number up to 1073741824");
  }
  *padding = number;
  return SY_OK;
}

static sy_status check_config(sy_string config, sy_error* error) {
  size_t padding = 0;
  return read_config(config, &padding, error);
}

static sy_status init(const sy_host* host, sy_string config, sy_instance** made, sy_error* error) {
  size_t padding = 0;
  sy_status status = read_config(config, &padding, error);
  if (status != SY_OK) return status;
  sy_instance* const instance = calloc(1, sizeof *instance);
  if (instance == NULL) return failed(error, SY_NO_MEMORY, "out of memory");
  kv_service* const service = &instance->service;
  service->host = host;
  service->loops = host->service(host, SY_LOOPS);
  service->interfaces = host->service(host, SY_INTERFACES);
  pthread_mutex_init(&service->mutex, NULL);
  pthread_cond_init(&service->less, NULL);
  if (service->loops == NULL || service->interfaces == NULL) {
    status = failed(error, SY_UNSUPPORTED, "this host has no loops or interfaces");
  } else if (!kv_machine_init(&service->machine, padding)) {
    status = failed(error, SY_NO_MEMORY, "out of memory");
  } else {
    status = service->interfaces->open(host, SY_RAFT_CONSENSUS, &service->raft, error);
    if (status == SY_OK) status = kv_machine_register(&service->machine, host, error);
  }
  if (status != SY_OK) {
    if (service->raft != NULL) service->interfaces->close(service->raft);
    kv_machine_free(&service->machine);
    free(instance);
    return status;
  }
  *made = instance;
  return SY_OK;
}

static sy_status nothing(sy_instance* instance, sy_error* error) {
  (void)instance;
  (void)error;
  return SY_OK;
}

static sy_status serve(sy_instance* instance, uint32_t protocol, sy_connection* connection) {
  (void)protocol;
  return kv_session_serve(&instance->service, connection);
}

static sy_status
drain(sy_instance* instance, uint64_t deadline, sy_drain_done done, void* context) {
  (void)deadline;
  kv_sessions_end(&instance->service, 0, done, context);
  return SY_OK;
}

static void abort_all(sy_instance* instance) {
  kv_sessions_end(&instance->service, 1, NULL, NULL);
}

static sy_status stop(sy_instance* instance, sy_error* error) {
  kv_service* const service = &instance->service;
  kv_sessions_end(service, 1, NULL, NULL);
  if (kv_sessions_wait(service, STOP_LIMIT)) {
    service->interfaces->close(service->raft);
    return SY_OK;
  }
  return failed(error, SY_TIMED_OUT, "calls into raft have not ended");
}

static void destroy(sy_instance* instance) {
  kv_machine_free(&instance->service.machine);
  pthread_cond_destroy(&instance->service.less);
  pthread_mutex_destroy(&instance->service.mutex);
  free(instance);
}

SY_MANIFEST_NOTE(SY_MANIFEST_JSON);

SY_EXPORT const sy_plugin switchyard_plugin_v0 = {
    .magic = SY_PLUGIN_MAGIC,
    .struct_size = sizeof(sy_plugin),
    .abi_major = SY_ABI_MAJOR,
    .abi_minor = SY_ABI_MINOR,
    .id = SY_MANIFEST_ID,
    .version = SY_MANIFEST_VERSION,
    .manifest = SY_MANIFEST_JSON,
    .check_config = &check_config,
    .init = &init,
    .start = &nothing,
    .activate = &nothing,
    .serve = &serve,
    .health = &nothing,
    .drain = &drain,
    .abort_all = &abort_all,
    .stop = &stop,
    .destroy = &destroy,
};

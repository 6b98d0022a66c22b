/* The greeter plugin: what the host calls. It serves no connection of its own; the provider of
 * switchyard.grpc.services/1 brings the calls. */
#include "greeter.h"

#include <switchyard/journal.h>
#include <switchyard/plugin.h>

#include <greeter.descriptors.h>
#include <stdio.h>
#include <stdlib.h>
#include <switchyard_manifest.h>

struct sy_instance {
  sy_grpc_service service; /* greeter_service and the descriptor set */
};

static sy_status failed(sy_error* error, sy_status status, const char* text) {
  if (error != NULL) {
    error->code = status;
    snprintf(error->text, sizeof error->text, "%s", text);
  }
  return status;
}

static sy_status init(const sy_host* host, sy_string config, sy_instance** made, sy_error* error) {
  (void)config; /* without a check_config it is empty */
  static const sy_string kKey = {GREETER_NAME, sizeof GREETER_NAME - 1};
  const sy_journal* const journal = host->service(host, SY_JOURNAL);
  if (journal == NULL) return failed(error, SY_UNSUPPORTED, "the host keeps no registrations");
  sy_instance* const instance = malloc(sizeof *instance);
  if (instance == NULL) return failed(error, SY_NO_MEMORY, "out of memory");
  instance->service = greeter_service;
  instance->service.descriptor_set = (sy_bytes){greeter_descriptors, sizeof greeter_descriptors};
  /* Taken back by the host when the plugin stops, once no call is running. */
  sy_registration* registration;
  const sy_status status = journal->add(
      host,
      SY_GRPC_SERVICES,
      kKey,
      &instance->service,
      sizeof instance->service,
      &registration,
      error);
  if (status != SY_OK) {
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
  (void)instance;
  (void)protocol;
  (void)connection;
  return SY_UNSUPPORTED;
}

static sy_status
drain(sy_instance* instance, uint64_t deadline, sy_drain_done done, void* context) {
  (void)instance;
  (void)deadline;
  done(context);
  return SY_OK;
}

static void abort_all(sy_instance* instance) {
  (void)instance;
}

static void destroy(sy_instance* instance) {
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
    .init = &init,
    .start = &nothing,
    .activate = &nothing,
    .serve = &serve,
    .health = &nothing,
    .drain = &drain,
    .abort_all = &abort_all,
    .stop = &nothing,
    .destroy = &destroy,
};

/* The echo plugin: what the host calls. */
#include "config.h"
#include "drain.h"
#include "loop.h"
#include "poller.h"
#include "stream.h"
#include "tunnel.h"

#include <switchyard/metrics.h>
#include <switchyard/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <switchyard_manifest.h>

struct sy_instance {
  const sy_host* host;
  const sy_metrics* metrics;
  sy_metric* connections;
  echo_config config;
  echo_drain drain;
  echo_loops loops;
  echo_poller poller;
};

static sy_status failed(sy_error* error, sy_status status, const char* text) {
  if (error != NULL) {
    error->code = status;
    snprintf(error->text, sizeof error->text, "%s", text);
  }
  return status;
}

static sy_status check_config(sy_string config, sy_error* error) {
  echo_config read;
  return echo_config_read(config, &read, error);
}

static sy_status init(const sy_host* host, sy_string config, sy_instance** made, sy_error* error) {
  static const sy_string kName = {"connections_total", 17};
  static const sy_string kHelp = {"Connections taken", 17};
  sy_instance* const instance = calloc(1, sizeof *instance);
  if (instance == NULL) return failed(error, SY_NO_MEMORY, "out of memory");
  instance->host = host;
  echo_drain_init(&instance->drain);

  sy_status status = echo_config_read(config, &instance->config, error);
  if (status == SY_OK) {
    instance->metrics = host->service(host, SY_METRICS);
    status = instance->metrics == NULL
                 ? SY_UNSUPPORTED
                 : instance->metrics->counter(host, kName, kHelp, &instance->connections);
    if (status != SY_OK) failed(error, status, "the host does not take the plugin's metric");
  }
  if (status == SY_OK) {
    status = echo_loops_init(&instance->loops, host, &instance->config, &instance->drain);
    if (status != SY_OK) failed(error, status, "the host's loops cannot be used");
  }
  if (status != SY_OK) {
    free(instance);
    return status;
  }
  *made = instance;
  return SY_OK;
}

static sy_status start(sy_instance* instance, sy_error* error) {
  const sy_status status =
      echo_poller_start(&instance->poller, instance->host, instance->loops.loops);
  return status == SY_OK ? SY_OK : failed(error, status, "the poller's thread cannot be started");
}

static sy_status activate(sy_instance* instance, sy_error* error) {
  (void)instance;
  (void)error;
  return SY_OK;
}

static sy_status serve(sy_instance* instance, uint32_t protocol, sy_connection* connection) {
  const echo_loops* const loops = &instance->loops;
  echo_loop* const loop = &loops->each[loops->loops->current(instance->host)];
  const sy_status status = protocol == SY_PROTOCOL_ECHO
                               ? echo_stream_serve(loop, connection)
                               : echo_tunnel_serve(loop, &instance->poller, connection);
  if (status == SY_OK) instance->metrics->add(instance->connections, 1);
  return status;
}

static sy_status
serve_descriptor(sy_instance* instance, uint32_t protocol, const sy_descriptor* given) {
  (void)protocol;
  const sy_loops* const loops = instance->loops.loops;
  /* The descriptor stays the host's unless SY_OK is returned, so from create on it is SY_OK. */
  echo_guest* const guest = echo_guest_create(
      given->descriptor, loops->now(instance->host), &instance->config, &instance->drain);
  if (guest == NULL) return SY_OK;
  if (given->read_ahead.size != 0 &&
      !echo_guest_answer(guest, given->read_ahead.data, given->read_ahead.size)) {
    echo_guest_end(guest);
    return SY_OK;
  }
  if (echo_poller_add(&instance->poller, guest) == SY_OK) {
    instance->metrics->add(instance->connections, 1);
  }
  return SY_OK;
}

static sy_status health(sy_instance* instance, sy_error* error) {
  (void)instance;
  (void)error;
  return SY_OK;
}

static sy_status
drain(sy_instance* instance, uint64_t deadline, sy_drain_done done, void* context) {
  (void)deadline;
  echo_poller_ask(&instance->poller, ECHO_POLLER_DRAIN);
  /* A loop that is late drains when it comes round. */
  (void)echo_loops_visit(&instance->loops, &echo_streams_drain);
  echo_drain_begin(&instance->drain, done, context);
  return SY_OK;
}

static void end_all(echo_loop* loop) {
  loop->draining = 1;
  echo_streams_end(loop);
  echo_tunnels_end(loop);
}

static void abort_all(sy_instance* instance) {
  echo_poller_ask(&instance->poller, ECHO_POLLER_CUT);
  (void)echo_loops_visit(&instance->loops, &end_all);
}

static sy_status stop(sy_instance* instance, sy_error* error) {
  const int all = echo_loops_visit(&instance->loops, &end_all);
  echo_poller_stop(&instance->poller);
  return all ? SY_OK : failed(error, SY_TIMED_OUT, "a loop of the host did not come round");
}

static void destroy(sy_instance* instance) {
  echo_loops_free(&instance->loops);
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
    .start = &start,
    .activate = &activate,
    .serve = &serve,
    .serve_descriptor = &serve_descriptor,
    .health = &health,
    .drain = &drain,
    .abort_all = &abort_all,
    .stop = &stop,
    .destroy = &destroy,
};

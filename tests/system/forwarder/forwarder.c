/* A plugin that lets a test call other servers through switchyard.netrpc.client/1. A connection
 * asks for calls, one line each, "TLS ADDRESS SERVER_NAME METHOD" ("-": no name to verify; TLS is a
 * number of sy_dial_tls), with an empty map as their body. Each is answered with a line before the
 * next is read: "STATUS ERROR" or, where that is empty, "STATUS <reply in hex>". */
#include <switchyard/interfaces.h>
#include <switchyard/loops.h>
#include <switchyard/netrpc/client.h>
#include <switchyard/plugin.h>

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <switchyard_manifest.h>

#define CALL_LIMIT UINT64_C(60000000000) /* nanoseconds */

struct sy_instance {
  const sy_host* host;
  const sy_loops* loops;
  const sy_interfaces* interfaces;
  sy_interface* client;
  atomic_uint connections; /* and one more until drain() */
  atomic_int draining;
  sy_drain_done drained;
  void* drained_context;
};

typedef struct {
  sy_instance* instance;
  sy_connection* connection;
  uint32_t loop;
  size_t size; /* of line */
  char line[512];
  char answer[1024];
  sy_bytes slice; /* of answer */
} conversation;

static void read_line(conversation* self);

static void give_back(sy_instance* instance) {
  if (atomic_fetch_sub(&instance->connections, 1) == 1)
    instance->drained(instance->drained_context);
}

static void end(conversation* self, sy_close_reason reason) {
  sy_instance* instance = self->instance;
  self->connection->api->close(self->connection, reason);
  free(self);
  give_back(instance);
}

static void written(void* context, sy_status status, size_t transferred) {
  conversation* self = context;
  (void)transferred;
  if (status != SY_OK) {
    end(self, SY_CLOSE_PEER_GONE);
  } else if (atomic_load(&self->instance->draining)) {
    end(self, SY_CLOSE_DRAINED);
  } else {
    read_line(self);
  }
}

/* On the loop of the connection. */
static void answer(void* context) {
  conversation* self = context;
  self->slice = (sy_bytes){self->answer, strlen(self->answer)};
  if (self->connection->api->write(self->connection, &self->slice, 1, &written, self) != SY_OK)
    end(self, SY_CLOSE_PEER_GONE);
}

/* Any thread. */
static void called(void* context, sy_status status, sy_string error, sy_bytes reply) {
  conversation* self = context;
  const unsigned char* bytes = reply.data;
  int size = snprintf(
      self->answer, sizeof self->answer, "%d %.*s", (int)status, (int)error.size, error.data);
  if (error.size == 0) {
    for (size_t i = 0; i < reply.size && (size_t)size + 3 < sizeof self->answer; ++i)
      size += snprintf(self->answer + size, 3, "%02x", bytes[i]);
  }
  self->answer[size] = '\n';
  self->answer[size + 1] = '\0';
  (void)self->instance->loops->post(self->instance->host, self->loop, &answer, self);
}

static void call(conversation* self) {
  static const unsigned char empty_map = 0x80; /* msgpack */
  const sy_interfaces* interfaces = self->instance->interfaces;
  unsigned tls = 0;
  char address[64];
  char name[64];
  char method[64];
  if (sscanf(self->line, "%u %63s %63s %63s", &tls, address, name, method) != 4) {
    end(self, SY_CLOSE_PROTOCOL_ERROR);
    return;
  }
  self->size = 0;
  const sy_netrpc_request request = {
      .struct_size = sizeof request,
      .tls = tls,
      .address = {address, strlen(address)},
      .server_name = {name, strcmp(name, "-") == 0 ? 0 : strlen(name)},
      .method = {method, strlen(method)},
      .body = {&empty_map, 1},
      .timeout = CALL_LIMIT};
  sy_lease lease;
  sy_netrpc_invocation* invocation = NULL;
  sy_status status = interfaces->acquire(self->instance->client, &lease);
  if (status == SY_OK) {
    const sy_netrpc_client* client = lease.table;
    status = client->call(lease.provider, &request, &called, self, &invocation);
    interfaces->release(&lease);
  }
  if (status != SY_OK) called(self, status, (sy_string){"", 0}, (sy_bytes){NULL, 0});
}

static void readable(void* context, sy_status status, size_t transferred) {
  conversation* self = context;
  (void)transferred;
  if (status != SY_OK) {
    end(self, SY_CLOSE_DRAINED);
  } else {
    read_line(self);
  }
}

static void read_line(conversation* self) {
  const sy_connection_api* api = self->connection->api;
  for (;;) {
    size_t got = 0;
    const sy_status status = api->try_read(self->connection, self->line + self->size, 1, &got);
    if (status == SY_AGAIN) {
      if (api->wait_readable(self->connection, &readable, self) != SY_OK)
        end(self, SY_CLOSE_INTERNAL);
      return;
    }
    if (status != SY_OK || got == 0) {
      end(self, SY_CLOSE_FINISHED);
      return;
    }
    if (self->line[self->size] == '\n') {
      self->line[self->size] = '\0';
      call(self);
      return;
    }
    if (++self->size == sizeof self->line) {
      end(self, SY_CLOSE_LIMIT);
      return;
    }
  }
}

static sy_status init(const sy_host* host, sy_string config, sy_instance** made, sy_error* error) {
  (void)config;
  sy_instance* instance = calloc(1, sizeof *instance);
  instance->host = host;
  instance->loops = host->service(host, SY_LOOPS);
  instance->interfaces = host->service(host, SY_INTERFACES);
  atomic_init(&instance->connections, 1);
  *made = instance;
  return instance->interfaces->open(host, SY_NETRPC_CLIENT, &instance->client, error);
}

static sy_status nothing(sy_instance* instance, sy_error* error) {
  (void)instance, (void)error;
  return SY_OK;
}

static sy_status serve(sy_instance* instance, uint32_t protocol, sy_connection* connection) {
  (void)protocol;
  if (atomic_load(&instance->draining)) return SY_CANCELLED;
  conversation* self = calloc(1, sizeof *self);
  self->instance = instance;
  self->connection = connection;
  self->loop = instance->loops->current(instance->host);
  atomic_fetch_add(&instance->connections, 1);
  read_line(self);
  return SY_OK;
}

/* Conversations end with the call they have; one that has none when its test ends it. */
static sy_status
drain(sy_instance* instance, uint64_t deadline, sy_drain_done done, void* context) {
  (void)deadline;
  instance->drained = done;
  instance->drained_context = context;
  atomic_store(&instance->draining, 1);
  give_back(instance);
  return SY_OK;
}

static void abort_all(sy_instance* instance) {
  (void)instance;
}

static sy_status stop(sy_instance* instance, sy_error* error) {
  (void)error;
  instance->interfaces->close(instance->client);
  return SY_OK;
}

static void destroy(sy_instance* instance) {
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

/* A plugin with two endpoints of net/rpc: Answer.Now answers at once, Answer.Later (a blocked
 * query) when it is told that its answer is wanted soon. Both answer with an empty map. */
#include <switchyard/netrpc/endpoints.h>
#include <switchyard/plugin.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <switchyard_manifest.h>

/* A call that waits. */
struct waiting {
  sy_netrpc_call* call;
  struct waiting* next;
};

struct sy_instance {
  pthread_mutex_t mutex;
  struct waiting* first; /* guarded by mutex */
  sy_registration* registrations[2];
};

static void reply(sy_netrpc_call* call) {
  call->api->reply(call, (sy_bytes){"\x80", 1});
}

static void answer_now(void* context, sy_netrpc_call* call, sy_bytes body) {
  (void)context, (void)body;
  reply(call);
}

static void answer_later(void* context, sy_netrpc_call* call, sy_bytes body) {
  sy_instance* self = context;
  struct waiting* waiting = malloc(sizeof *waiting);
  (void)body;
  pthread_mutex_lock(&self->mutex);
  waiting->call = call;
  waiting->next = self->first;
  self->first = waiting;
  pthread_mutex_unlock(&self->mutex);
}

static void answer_soon(void* context, sy_netrpc_call* call) {
  sy_instance* self = context;
  struct waiting* found = NULL;
  struct waiting** at = &self->first;
  pthread_mutex_lock(&self->mutex);
  while (*at != NULL && (*at)->call != call)
    at = &(*at)->next;
  if (*at != NULL) {
    found = *at;
    *at = found->next;
  }
  pthread_mutex_unlock(&self->mutex);
  if (found == NULL) return;
  free(found);
  reply(call);
}

static sy_status
add(const sy_host* host,
    sy_instance* self,
    int number,
    sy_string method,
    void (*call)(void*, sy_netrpc_call*, sy_bytes),
    sy_error* error) {
  const sy_journal* journal = host->service(host, SY_JOURNAL);
  const sy_netrpc_endpoint endpoint = {
      .struct_size = sizeof endpoint,
      .flags = 0,
      .context = self,
      .call = call,
      .cancel = &answer_soon};
  return journal->add(
      host,
      SY_NETRPC_ENDPOINTS,
      method,
      &endpoint,
      sizeof endpoint,
      &self->registrations[number],
      error);
}

static sy_status init(const sy_host* host, sy_string config, sy_instance** made, sy_error* error) {
  sy_instance* self = calloc(1, sizeof *self);
  sy_status status = SY_OK;
  (void)config;
  pthread_mutex_init(&self->mutex, NULL);
  status = add(host, self, 0, (sy_string){"Answer.Now", 10}, &answer_now, error);
  if (status == SY_OK)
    status = add(host, self, 1, (sy_string){"Answer.Later", 12}, &answer_later, error);
  if (status != SY_OK) return status;
  *made = self;
  return SY_OK;
}

static sy_status nothing(sy_instance* self, sy_error* error) {
  (void)self, (void)error;
  return SY_OK;
}

/* There is nothing to hand over but that it answers. */
static sy_status quiesce(sy_instance* self, const sy_state_sink* sink, sy_error* error) {
  (void)self, (void)sink, (void)error;
  return SY_OK;
}

static sy_status take_over(sy_instance* self, const sy_state* state, sy_error* error) {
  (void)self, (void)state, (void)error;
  return SY_OK;
}

static sy_status drain(sy_instance* self, uint64_t deadline, sy_drain_done done, void* context) {
  (void)self, (void)deadline;
  done(context);
  return SY_OK;
}

static void abort_all(sy_instance* self) {
  (void)self;
}

static void destroy(sy_instance* self) {
  pthread_mutex_destroy(&self->mutex);
  free(self);
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
    .start = nothing,
    .activate = nothing,
    .health = nothing,
    .drain = drain,
    .abort_all = abort_all,
    .stop = nothing,
    .destroy = destroy,
    .quiesce = quiesce,
    .take_over = take_over,
};

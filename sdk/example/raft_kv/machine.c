#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int kv_machine_init(kv_machine* machine, size_t padding) {
  machine->store = kv_store_create();
  machine->restored = NULL;
  machine->applied = machine->restored_index = 0;
  machine->displaced = 0;
  machine->padding = padding;
  return machine->store != NULL && pthread_mutex_init(&machine->mutex, NULL) == 0;
}

void kv_machine_free(kv_machine* machine) {
  kv_store_free(machine->store);
  kv_store_free(machine->restored);
  pthread_mutex_destroy(&machine->mutex);
}

static sy_status failed(sy_error* error, sy_status status, const char* text) {
  error->code = status;
  snprintf(error->text, sizeof error->text, "%s", text);
  return status;
}

static uint64_t applied(void* context) {
  kv_machine* const machine = context;
  pthread_mutex_lock(&machine->mutex);
  const uint64_t index = machine->applied;
  pthread_mutex_unlock(&machine->mutex);
  return index;
}

static sy_status apply(
    void* context,
    const sy_raft_entry* entries,
    size_t count,
    const sy_raft_results* results,
    sy_error* error) {
  kv_machine* const machine = context;
  sy_status status = SY_OK;
  pthread_mutex_lock(&machine->mutex);
  for (size_t at = 0; at < count && status == SY_OK; ++at) {
    char* const result = kv_store_apply(machine->store, entries[at].data);
    if (result == NULL) {
      status = failed(error, SY_NO_MEMORY, "out of memory");
    } else {
      results->set(results, at, (sy_bytes){result, strlen(result)});
      machine->applied = entries[at].index;
    }
    free(result);
  }
  pthread_mutex_unlock(&machine->mutex);
  return status;
}

static sy_status capture(void* context, void** view, sy_error* error) {
  kv_machine* const machine = context;
  pthread_mutex_lock(&machine->mutex);
  *view = kv_store_copy(machine->store);
  pthread_mutex_unlock(&machine->mutex);
  return *view == NULL ? failed(error, SY_NO_MEMORY, "out of memory") : SY_OK;
}

static sy_status write_view(void* context, void* view, const sy_raft_sink* sink, sy_error* error) {
  const kv_machine* const machine = context;
  const sy_status status = kv_store_write(view, machine->padding, sink);
  return status == SY_OK ? SY_OK : failed(error, status, "the snapshot could not be written");
}

static void release(void* context, void* view) {
  (void)context;
  kv_store_free(view);
}

static sy_status
restore(void* context, uint64_t index, const sy_raft_source* source, sy_error* error) {
  kv_machine* const machine = context;
  kv_store_free(machine->restored);
  machine->restored = NULL;
  machine->restored_index = index;
  const sy_status status = kv_store_read(source, &machine->restored);
  return status == SY_OK ? SY_OK : failed(error, status, "this is no snapshot of a raft_kv");
}

static void restored(void* context, uint32_t keep) {
  kv_machine* const machine = context;
  kv_store* dropped = machine->restored;
  if (keep) {
    pthread_mutex_lock(&machine->mutex);
    dropped = machine->store;
    machine->store = machine->restored;
    machine->applied = machine->restored_index;
    pthread_mutex_unlock(&machine->mutex);
  }
  machine->restored = NULL;
  kv_store_free(dropped);
}

static void placed(void* context, uint32_t is) {
  kv_machine* const machine = context;
  pthread_mutex_lock(&machine->mutex);
  machine->displaced = !is;
  pthread_mutex_unlock(&machine->mutex);
}

sy_status kv_machine_register(kv_machine* machine, const sy_host* host, sy_error* error) {
  const sy_journal* const journal = host->service(host, SY_JOURNAL);
  if (journal == NULL) return failed(error, SY_UNSUPPORTED, "this host has no journal");
  const sy_raft_machine entry = {
      .struct_size = sizeof entry,
      .flags = 0,
      .context = machine,
      .applied = &applied,
      .apply = &apply,
      .capture = &capture,
      .write = &write_view,
      .release = &release,
      .restore = &restore,
      .restored = &restored,
      .leadership = NULL,
      .placed = &placed};
  sy_registration* registration = NULL; /* the host removes it when the plugin stops */
  return journal->add(
      host,
      SY_RAFT_CONSENSUS,
      (sy_string){"machine", 7},
      &entry,
      sizeof entry,
      &registration,
      error);
}

/* An exclusive plugin: a directory that it locks and a counter in it, which must neither skip nor
 * repeat. A connection is counted, gets its number as a line, and is closed. Its versions differ in
 * what is wrong with them; each fault is a macro. */
#define _GNU_SOURCE /* flock */ /* NOLINT */
#include <switchyard/plugin.h>

#include <sys/file.h>

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <switchyard_manifest.h>
#include <unistd.h>

#if !defined(WRITES)
#define WRITES 1u /* the format of what is handed over */
#endif

struct sy_instance {
  pthread_mutex_t mutex; /* guards what follows */
  uint64_t count;
  int file; /* with the lock; -1: none */
  int active;
  int taken_over;
  char path[256];
};

/* What is handed over, besides the locked file. */
struct handed {
  uint64_t count;
};

static sy_status failure(sy_error* error, const char* text) {
  error->code = SY_INTERNAL;
  snprintf(error->text, sizeof error->text, "%s", text);
  return SY_INTERNAL;
}

/* {"file":"PATH"} */
static int path_of(sy_string config, char* path, size_t capacity) {
  static const char head[] = "{\"file\":\"";
  const size_t size = config.size;
  if (size < sizeof head + 2 || size - sizeof head - 1 >= capacity) return 0;
  if (memcmp(config.data, head, sizeof head - 1) != 0) return 0;
  memcpy(path, config.data + sizeof head - 1, size - (sizeof head - 1) - 2);
  path[size - (sizeof head - 1) - 2] = '\0';
  return 1;
}

static sy_status check_config(sy_string config, sy_error* error) {
  char path[256];
  if (!path_of(config, path, sizeof path)) return failure(error, "file: is missing");
#if defined(OPENS_IN_CHECK)
  {
    const int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (flock(file, LOCK_EX | LOCK_NB) != 0) return failure(error, "file: is locked by another");
  }
#endif
  return SY_OK;
}

static sy_status init(const sy_host* host, sy_string config, sy_instance** made, sy_error* error) {
  sy_instance* self = calloc(1, sizeof *self);
  (void)host, (void)error;
  pthread_mutex_init(&self->mutex, NULL);
  path_of(config, self->path, sizeof self->path);
  self->file = -1;
  *made = self;
  return SY_OK;
}

static sy_status start(sy_instance* self, sy_error* error) {
  (void)self, (void)error;
#if defined(FAIL_IN_START)
  return failure(error, "no memory for the table");
#else
  return SY_OK;
#endif
}

/* What the file says; 0 when it says nothing. */
static uint64_t read_count(int file) {
  uint64_t count = 0;
  return pread(file, &count, sizeof count, 0) == (ssize_t)sizeof count ? count : 0;
}

static void go_on(sy_instance* self, uint64_t count) {
  pthread_mutex_lock(&self->mutex);
  self->count = count;
  self->active = 1;
  pthread_mutex_unlock(&self->mutex);
}

static sy_status activate(sy_instance* self, sy_error* error) {
  if (self->file < 0) self->file = open(self->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (self->file < 0) return failure(error, "the file cannot be opened");
  if (flock(self->file, LOCK_EX | LOCK_NB) != 0)
    return failure(error, "another instance has the file");
  go_on(self, read_count(self->file));
  return SY_OK;
}

static sy_status serve(sy_instance* self, uint32_t protocol, sy_connection* connection) {
  char line[32];
  sy_bytes bytes = {line, 0};
  size_t written = 0;
  (void)protocol;
#if defined(ANSWERS) || defined(NO_ANSWER)
  { /* a trial connection is not counted */
    sy_connection_info info = {.struct_size = sizeof info};
    connection->api->describe(connection, &info);
    if (info.listener.size == 0) {
#if defined(ANSWERS)
      bytes = (sy_bytes){"ok\n", 3};
      (void)connection->api->try_write(connection, &bytes, 1, &written);
      connection->api->close(connection, SY_CLOSE_FINISHED);
#endif
      return SY_OK;
    }
  }
#endif
  pthread_mutex_lock(&self->mutex);
  if (!self->active) {
    pthread_mutex_unlock(&self->mutex);
    return SY_CANCELLED;
  }
  ++self->count;
  bytes.size = (size_t)snprintf(line, sizeof line, "%" PRIu64 "\n", self->count);
  if (pwrite(self->file, &self->count, sizeof self->count, 0) != (ssize_t)sizeof self->count)
    bytes.size = 0;
  pthread_mutex_unlock(&self->mutex);
  (void)connection->api->try_write(connection, &bytes, 1, &written);
  connection->api->close(connection, SY_CLOSE_FINISHED);
  return SY_OK;
}

static sy_status health(sy_instance* self, sy_error* error) {
  (void)self, (void)error;
#if defined(UNWELL)
  if (self->taken_over) return failure(error, "the index does not fit the file");
#elif defined(HANG_IN_HEALTH)
  for (;;)
    pause();
#endif
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

static sy_status stop(sy_instance* self, sy_error* error) {
  (void)error;
  if (self->file >= 0) close(self->file);
  self->file = -1;
  return SY_OK;
}

static void destroy(sy_instance* self) {
  pthread_mutex_destroy(&self->mutex);
  free(self);
}

static sy_status quiesce(sy_instance* self, const sy_state_sink* sink, sy_error* error) {
  struct handed handed;
#if defined(FAIL_IN_QUIESCE)
  (void)self, (void)sink, (void)handed;
  return failure(error, "a write is in flight");
#elif defined(HANG_IN_QUIESCE)
  for (;;)
    pause();
#endif
  pthread_mutex_lock(&self->mutex);
  handed.count = self->count;
  if (sink->write(sink, (sy_bytes){&handed, sizeof handed}) != SY_OK ||
      sink->descriptor(sink, self->file) != SY_OK) {
    pthread_mutex_unlock(&self->mutex);
    return failure(error, "nothing can be handed over");
  }
  self->active = 0;
  pthread_mutex_unlock(&self->mutex);
  return SY_OK;
}

static sy_status take_over(sy_instance* self, const sy_state* state, sy_error* error) {
  struct handed handed;
#if defined(FAIL_IN_TAKE_OVER)
  (void)self, (void)state, (void)handed;
  return failure(error, "the term is smaller");
#elif defined(HANG_IN_TAKE_OVER)
  for (;;)
    pause();
#elif defined(SLOW_IN_TAKE_OVER)
  (void)poll(NULL, 0, 1500); /* as if a log were read */
#endif
  if (state->version != WRITES || state->data.size != sizeof handed || state->descriptor_count != 1)
    return failure(error, "what was handed over is of another plugin");
  memcpy(&handed, state->data.data, sizeof handed);
  if (self->file < 0) self->file = fcntl(state->descriptors[0], F_DUPFD_CLOEXEC, 0);
  if (flock(self->file, LOCK_EX | LOCK_NB) != 0) return failure(error, "the lock was lost");
  if (read_count(self->file) != handed.count) return failure(error, "the counter is another");
  self->taken_over = 1;
  go_on(self, handed.count);
  return SY_OK;
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
    .check_config = check_config,
    .init = init,
    .start = start,
    .activate = activate,
    .serve = serve,
    .health = health,
    .drain = drain,
    .abort_all = abort_all,
    .stop = stop,
    .destroy = destroy,
    .quiesce = quiesce,
    .take_over = take_over,
};

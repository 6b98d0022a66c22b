/* A plugin whose versions differ in what they leave behind or do wrong; the fault is a macro.
 * Without one it is good: it reads what a connection says until its end. */
#include <switchyard/loops.h>
#include <switchyard/plugin.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <switchyard_manifest.h>
#include <unistd.h>

struct sy_instance {
  const sy_host* host;
  const sy_loops* loops;
};

struct guest {
  sy_instance* instance;
  sy_connection* connection;
  char said[256];
};

static void* run_on(void* context) {
  for (;;)
    pause();
  return context;
}

static sy_status init(const sy_host* host, sy_string config, sy_instance** made, sy_error* error) {
  (void)config, (void)error, (void)run_on;
  *made = calloc(1, sizeof **made);
  (*made)->host = host;
  (*made)->loops = host->service(host, SY_LOOPS);
#if defined(LEAVES_A_DESCRIPTOR)
  if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0) return SY_INTERNAL;
#elif defined(LEAVES_MEMORY)
  static void* volatile left; /* or the compiler leaves it out */
  left = malloc(256 * 1024);
  memset(left, 1, 256 * 1024);
#elif defined(LEAVES_A_THREAD)
  pthread_t thread;
  if (pthread_create(&thread, NULL, run_on, NULL) != 0) return SY_INTERNAL;
#endif
  return SY_OK;
}

#if defined(LEAVES_A_TIMER)
static void fire(void* context) {
  (void)context;
}

static void start_timer(void* context) {
  sy_instance* const instance = context;
  sy_timer* timer = NULL;
  const uint64_t due = instance->loops->now(instance->host) + UINT64_C(3600000000000);
  (void)instance->loops->start_timer(instance->host, due, fire, NULL, &timer);
}
#endif

static sy_status start(sy_instance* instance, sy_error* error) {
  (void)instance, (void)error;
  return SY_OK;
}

static sy_status activate(sy_instance* instance, sy_error* error) {
  (void)instance, (void)error;
#if defined(LEAVES_A_TIMER)
  (void)instance->loops->post(instance->host, 0, start_timer, instance);
#endif
  return SY_OK;
}

static void heard(void* context, sy_status status, size_t size);

static void listen_to(struct guest* guest) {
  sy_connection* const from = guest->connection;
  if (from->api->read_some(from, guest->said, sizeof guest->said, heard, guest) == SY_OK) return;
  from->api->close(from, SY_CLOSE_PEER_GONE);
  free(guest);
}

static void heard(void* context, sy_status status, size_t size) {
  struct guest* const guest = context;
#if defined(CRASHES_ON_A_BYTE)
  if (size > 0 && memchr(guest->said, 0xff, size) != NULL) raise(SIGSEGV);
#elif defined(KEEPS_CONNECTIONS)
  if (size == 0) return;
#endif
  if (status == SY_OK && size > 0) {
    listen_to(guest);
  } else {
    guest->connection->api->close(guest->connection, SY_CLOSE_FINISHED);
    free(guest);
  }
}

static sy_status serve(sy_instance* instance, uint32_t protocol, sy_connection* connection) {
  struct guest* const guest = calloc(1, sizeof *guest);
  (void)protocol;
  guest->instance = instance;
  guest->connection = connection;
#if defined(LEAVES_A_DESCRIPTOR_EACH)
  if (dup(0) < 0) return SY_INTERNAL;
#endif
#if defined(KEEPS_CONNECTIONS) || defined(CRASHES_ON_A_BYTE)
  listen_to(guest);
#else
  (void)listen_to; /* it has nothing to say to anybody */
  connection->api->close(connection, SY_CLOSE_FINISHED);
  free(guest);
#endif
  return SY_OK;
}

static sy_status health(sy_instance* instance, sy_error* error) {
  (void)instance, (void)error;
  return SY_OK;
}

static sy_status
drain(sy_instance* instance, uint64_t deadline, sy_drain_done done, void* context) {
  (void)instance, (void)deadline;
  done(context);
  return SY_OK;
}

static void abort_all(sy_instance* instance) {
  (void)instance;
}

static sy_status stop(sy_instance* instance, sy_error* error) {
  (void)instance, (void)error;
#if defined(HANGS_IN_STOP)
  for (;;)
    pause();
#endif
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

/* A plugin whose versions differ in what is wrong with them: a connection gets the word GOOD or the
 * name of the fault, and is closed. The fault is a macro. */
#include <switchyard/plugin.h>

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <switchyard_manifest.h>
#include <unistd.h>

#if !defined(SAYS)
#define SAYS "good\n"
#endif

struct sy_instance {
  atomic_uint checks; /* of its health */
#if defined(LINGER_ON_LOOP)
  atomic_uintptr_t told; /* of its drain, once there is one */
  void* context;
  atomic_uint open;
#endif
};

static sy_instance only;

static sy_status failure(sy_error* error, const char* text) {
  error->code = SY_INTERNAL;
  snprintf(error->text, sizeof error->text, "%s", text);
  return SY_INTERNAL;
}

static sy_status check_config(sy_string config, sy_error* error) {
  (void)config, (void)error;
#if defined(CRASH_IN_PROBE)
  raise(SIGSEGV);
#endif
  return SY_OK;
}

static sy_status init(const sy_host* host, sy_string config, sy_instance** made, sy_error* error) {
  (void)host, (void)config;
#if defined(CRASH_IN_INIT)
  raise(SIGKILL); /* a sanitizer makes an exit of the others */
#elif defined(FAIL_IN_INIT)
  return failure(error, "the table is locked");
#elif defined(HANG_IN_INIT)
  for (;;)
    pause();
#endif
  (void)error;
  *made = &only;
  return SY_OK;
}

static sy_status nothing(sy_instance* instance, sy_error* error) {
  (void)instance, (void)error;
  return SY_OK;
}

#if defined(THREAD_LOCAL)
/* What a compiler makes of something thread_local with a destructor; Itanium C++ ABI, 3.3.5.4. */
extern int __cxa_thread_atexit_impl(void (*destroy)(void*), void* object, void* of); /* NOLINT */
extern void* __dso_handle;                                                           /* NOLINT */

static void destroy_thread_local(void* object) {
  (void)object;
}
#endif

#if defined(LINGER_ON_LOOP)
/* The peer has gone. Whoever ends last says so, and is still here for a while. */
static void gone(void* connection, sy_status status, size_t transferred) {
  volatile unsigned turns = 0;
  (void)status, (void)transferred;
  ((sy_connection*)connection)->api->close(connection, SY_CLOSE_FINISHED);
  if (atomic_fetch_sub(&only.open, 1) != 1 || only.told == 0) return;
  ((sy_drain_done)only.told)(only.context);
  while (turns < 300000000)
    ++turns;
}
#endif

static sy_status serve(sy_instance* instance, uint32_t protocol, sy_connection* connection) {
  const sy_bytes says = {SAYS, sizeof SAYS - 1};
  size_t written = 0;
#if defined(CRASH_IN_SERVE)
  __builtin_trap();
#endif
  (void)instance, (void)protocol, (void)connection;
#if defined(THREAD_LOCAL)
  __cxa_thread_atexit_impl(destroy_thread_local, NULL, &__dso_handle);
#endif
#if defined(REFUSE_CONNECTIONS)
  return SY_LIMIT;
#endif
#if defined(LINGER_ON_LOOP)
  (void)connection->api->try_write(connection, &says, 1, &written);
  atomic_fetch_add(&only.open, 1);
  return connection->api->wait_readable(connection, gone, connection);
#endif
#if !defined(NO_ANSWER) && !defined(CLOSE_AT_ONCE)
  (void)connection->api->try_write(connection, &says, 1, &written);
#endif
  (void)says, (void)written;
#if !defined(LEAK_CONNECTIONS) && !defined(NO_ANSWER)
  connection->api->close(connection, SY_CLOSE_FINISHED);
#endif
  return SY_OK;
}

/* UNWELL_AFTER: how many times it says that it is well. */
static sy_status health(sy_instance* instance, sy_error* error) {
#if defined(UNWELL_AFTER)
  if (atomic_fetch_add(&instance->checks, 1) >= UNWELL_AFTER) {
    return failure(error, "the table is full");
  }
#endif
  (void)instance, (void)error, (void)failure;
  return SY_OK;
}

static sy_status
drain(sy_instance* instance, uint64_t deadline, sy_drain_done done, void* context) {
  (void)instance, (void)deadline;
#if defined(HANG_IN_DRAIN)
  (void)done, (void)context;
#elif defined(LINGER_ON_LOOP)
  only.context = context;
  only.told = (uintptr_t)done;
#else
  done(context);
#endif
  return SY_OK;
}

static void abort_all(sy_instance* instance) {
  (void)instance;
}

static void destroy(sy_instance* instance) {
  (void)instance;
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
    .start = nothing,
    .activate = nothing,
    .serve = serve,
    .health = health,
    .drain = drain,
    .abort_all = abort_all,
    .stop = nothing,
    .destroy = destroy,
};

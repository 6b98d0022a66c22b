/* One plugin, good as it stands, that each macro breaks in one way. FIXTURE_ID is its id. */
#include <switchyard/interfaces.h>
#include <switchyard/journal.h>
#include <switchyard/metrics.h>
#include <switchyard/plugin.h>
#include <switchyard/threads.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLOCK "test.clock/1"

#if !defined(FIXTURE_ABI)
#define FIXTURE_ABI "0.5"
#endif
#if defined(TAG)
#define PROTOCOLS ",\"protocols\":[{\"name\":\"" FIXTURE_ID "\",\"tag\":" TAG "}]"
#elif defined(ALPN)
#define PROTOCOLS ",\"protocols\":[{\"name\":\"" FIXTURE_ID "\",\"alpn\":\"" ALPN "\"}]"
#elif defined(NAME)
#define PROTOCOLS ",\"protocols\":[{\"name\":\"" NAME "\"}]"
#elif defined(DESCRIPTOR_MODE)
#define PROTOCOLS ",\"protocols\":[{\"name\":\"" FIXTURE_ID "\",\"mode\":\"descriptor\"}]"
#else
#define PROTOCOLS ""
#endif
#if defined(PROVIDES)
#define PROVIDED ",\"provides\":[{\"interface\":\"" PROVIDES "\",\"minor\":2,\"registrar\":true}]"
#else
#define PROVIDED ""
#endif
#if !defined(REQUIRES_MORE)
#define REQUIRES_MORE ""
#endif
#if defined(REQUIRES)
#define REQUIRED ",\"requires\":[{\"interface\":\"" REQUIRES "\"" REQUIRES_MORE "}]"
#else
#define REQUIRED ""
#endif
#if !defined(MANIFEST)
#define MANIFEST                                                                                   \
  "{\"abi\":\"" FIXTURE_ABI "\",\"id\":\"" FIXTURE_ID "\"" PROTOCOLS PROVIDED REQUIRED             \
  ",\"version\":\"1.0.0\"}"
#endif

#if !defined(NO_NOTE)
SY_MANIFEST_NOTE(MANIFEST);
#endif
#if defined(TWO_NOTES)
static const struct {
  uint32_t sizes[2];
  uint32_t type;
  char name[12];
  char text[4];
} second_note __attribute__((used, aligned(4), section(SY_NOTE_SECTION))) = {
    {sizeof(SY_NOTE_NAME), 3}, SY_NOTE_TYPE, SY_NOTE_NAME, "{}"};
#endif
#if defined(UNENDED_NOTE)
static const struct {
  uint32_t sizes[2];
  uint32_t type;
  char name[12];
  char text[4];
} unended_note __attribute__((used, aligned(4), section(SY_NOTE_SECTION))) = {
    {sizeof(SY_NOTE_NAME), 4}, SY_NOTE_TYPE, SY_NOTE_NAME, {'{', '}', ' ', ' '}};
#endif

static void crash(void) {
  volatile int* volatile nowhere = NULL;
  *nowhere = 1;
}

static void hang(void) {
  for (;;)
    pause();
}

#if defined(CRASH_IN_CONSTRUCTOR) || defined(HANG_IN_CONSTRUCTOR) || defined(EXIT_IN_CONSTRUCTOR)
__attribute__((constructor)) static void construct(void) {
#if defined(CRASH_IN_CONSTRUCTOR)
  fputs("about to crash\n", stderr);
  crash();
#elif defined(HANG_IN_CONSTRUCTOR)
  hang();
#else
  _exit(42);
#endif
}
#endif

#if defined(MISSING_SYMBOL)
int no_such_function(void);
#endif
#if defined(MISSING_LIBRARY)
int function_of_a_library_that_is_not_installed(void);
#endif
#if defined(STATIC_TLS)
static __thread int in_static_tls __attribute__((tls_model("initial-exec")));
#endif
#if defined(EXPORTS_MORE)
SY_EXPORT int left_over;
int left_over;
#endif

static sy_status failure(sy_error* error, sy_status code, const char* text) {
  error->code = code;
  snprintf(error->text, sizeof error->text, "%s", text);
  return code;
}

struct sy_instance {
  const sy_host* host;
  const sy_interfaces* interfaces;
  sy_interface* clock;
  sy_registration* registration;
  sy_metric* bindings;
  sy_drain_done drained;
  void* drained_context;
};

/* What a provider gives and a consumer uses. */
struct clock_table {
  sy_registrar registrar;
  int (*read)(void* provider);
};

struct clock_entry {
  uint32_t struct_size;
  uint32_t number;
};

static sy_status bind_alarm(
    void* provider,
    sy_registration* registration,
    sy_string key,
    const void* entry,
    size_t entry_size,
    sy_error* error) {
  sy_instance* instance = provider;
  const sy_metrics* metrics = instance->host->service(instance->host, SY_METRICS);
  (void)registration, (void)key, (void)entry, (void)entry_size, (void)error;
  metrics->add(instance->bindings, 1);
  return SY_OK;
}

static void unbind_alarm(void* provider, sy_registration* registration) {
  sy_instance* instance = provider;
  const sy_metrics* metrics = instance->host->service(instance->host, SY_METRICS);
  (void)registration;
  metrics->add(instance->bindings, -1);
}

static sy_status exchange_alarms(
    void* provider,
    sy_registration* const* gone,
    size_t gone_count,
    const sy_binding* come,
    size_t come_count,
    sy_error* error) {
  size_t at = 0;
  (void)error;
  for (at = 0; at < gone_count; ++at)
    unbind_alarm(provider, gone[at]);
  for (at = 0; at < come_count; ++at)
    bind_alarm(
        provider, come[at].registration, come[at].key, come[at].entry, come[at].entry_size, error);
  return SY_OK;
}

static int read_clock(void* provider) {
  (void)provider;
  return 42;
}

static const struct clock_table clock_functions = {
    {sizeof(struct clock_table), 0, bind_alarm, unbind_alarm, exchange_alarms, NULL}, read_clock};

#if defined(THROW_IN_INIT) || defined(THREAD_LOCAL_OBJECT) || defined(UNIQUE_SYMBOL)
void in_cpp(void); /* in_cpp.cpp */
#define IN_CPP() in_cpp()
#else
#define IN_CPP()
#endif

static sy_status check_config(sy_string config, sy_error* error) {
#if defined(CRASH_IN_CHECK)
  crash();
#elif defined(HANG_IN_CHECK)
  hang();
#elif defined(ABORT_IN_CHECK)
  abort();
#elif defined(EXIT_IN_CHECK)
  puts("bye");
  fflush(stdout);
  exit(0);
#elif defined(LATIN_1_IN_CHECK)
  return failure(error, SY_INVALID, "name: caf\xe9 is taken");
#endif
#if defined(MISSING_LIBRARY)
  (void)function_of_a_library_that_is_not_installed();
#elif defined(MISSING_SYMBOL)
  (void)no_such_function();
#elif defined(STATIC_TLS)
  ++in_static_tls;
#endif
  if (config.size > 14 && memcmp(config.data, "{\"descriptor\":", 14) == 0) {
    const int number = atoi(config.data + 14); /* ends at the brace */
    return failure(
        error,
        SY_INVALID,
        fcntl(number, F_GETFD) < 0 ? "descriptor: it is not open here" : "descriptor: it is open");
  }
  if (config.size == 2 && memcmp(config.data, "{}", 2) == 0) return SY_OK;
  return failure(error, SY_INVALID, "port: 99999 is no port");
}

static void run_until_killed(void* context) {
  (void)context;
  hang();
}

static sy_status init(const sy_host* host, sy_string config, sy_instance** made, sy_error* error) {
  sy_instance* instance = NULL;
  const sy_metrics* metrics = host->service(host, SY_METRICS);
  (void)config;
#if defined(HANG_IN_INIT)
  hang();
#elif defined(FAIL_IN_INIT)
  return failure(error, SY_INTERNAL, "the database is locked");
#elif defined(SILENT_IN_INIT)
  return SY_INTERNAL;
#elif defined(NO_INSTANCE)
  return SY_OK;
#endif
  IN_CPP();
  instance = calloc(1, sizeof *instance);
  instance->host = host;
  instance->interfaces = host->service(host, SY_INTERFACES);
  if (metrics->gauge(host, (sy_string){"bindings", 8}, (sy_string){"", 0}, &instance->bindings) !=
      SY_OK) {
    return failure(error, SY_INTERNAL, "no gauge");
  }
#if defined(REQUIRES)
  if (instance->interfaces->open(host, REQUIRES, &instance->clock, error) != SY_OK) {
    return error->code;
  }
  {
    const sy_journal* journal = host->service(host, SY_JOURNAL);
    const struct clock_entry entry = {sizeof entry, 1};
    if (journal->add(
            host,
            REQUIRES,
            (sy_string){FIXTURE_ID, sizeof FIXTURE_ID - 1},
            &entry,
            sizeof entry,
            &instance->registration,
            error) != SY_OK) {
      return error->code;
    }
  }
#endif
#if defined(LEAVE_THREAD)
  {
    const sy_threads* threads = host->service(host, SY_THREADS);
    sy_thread* thread = NULL;
    threads->spawn(host, (sy_string){"left", 4}, run_until_killed, NULL, &thread);
  }
#endif
  *made = instance;
  return SY_OK;
}

static sy_status start(sy_instance* instance, sy_error* error) {
  (void)instance;
#if defined(FAIL_IN_START)
  return failure(error, SY_INTERNAL, "port 53 is taken");
#else
  (void)error;
  return SY_OK;
#endif
}

static sy_status activate(sy_instance* instance, sy_error* error) {
  (void)instance;
#if defined(FAIL_IN_ACTIVATE)
  return failure(error, SY_INTERNAL, "no peer answers");
#else
  (void)error;
  return SY_OK;
#endif
}

static sy_status serve(sy_instance* instance, uint32_t protocol, sy_connection* connection) {
  (void)instance, (void)protocol, (void)connection;
  return SY_UNSUPPORTED;
}

/* Says what its clock says, so that a test sees whether it reaches its provider. */
static sy_status health(sy_instance* instance, sy_error* error) {
#if defined(REQUIRES)
  sy_lease lease;
  const sy_status status = instance->interfaces->acquire(instance->clock, &lease);
  if (status != SY_OK) return failure(error, status, "no clock");
  char text[32];
  snprintf(
      text,
      sizeof text,
      "clock=%d",
      ((const struct clock_table*)lease.table)->read(lease.provider));
  instance->interfaces->release(&lease);
#if defined(WELL)
  return SY_OK;
#else
  return failure(error, SY_INTERNAL, text);
#endif
#elif defined(HANG_IN_HEALTH)
  (void)instance, (void)error;
  hang();
  return SY_OK;
#else
  (void)instance, (void)error;
  return SY_OK;
#endif
}

static sy_status
drain(sy_instance* instance, uint64_t deadline, sy_drain_done done, void* context) {
  (void)deadline;
#if defined(HANG_IN_DRAIN)
  hang();
#elif defined(FAIL_IN_DRAIN)
  return SY_INTERNAL;
#elif defined(DRAIN_IN_ABORT)
  instance->drained = done;
  instance->drained_context = context;
  return SY_OK;
#endif
  (void)instance;
  done(context);
  return SY_OK;
}

static void abort_all(sy_instance* instance) {
  if (instance->drained != NULL) instance->drained(instance->drained_context);
}

static sy_status stop(sy_instance* instance, sy_error* error) {
#if defined(HANG_IN_STOP)
  hang();
#elif defined(FAIL_IN_STOP)
  return failure(error, SY_INTERNAL, "a thread does not end");
#elif defined(HOLD_LEASE)
  (void)error;
#else
  (void)error;
  if (instance->clock != NULL) instance->interfaces->close(instance->clock);
#endif
  return SY_OK;
}

static void destroy(sy_instance* instance) {
  free(instance);
}

static const void* query(sy_instance* instance, const char* interface_id) {
  (void)instance, (void)interface_id;
#if defined(NO_TABLE)
  return NULL;
#else
  return &clock_functions;
#endif
}

#if defined(OTHER_SYMBOL)
#define switchyard_plugin_v0 switchyard_plugin_v9
#endif

SY_EXPORT const sy_plugin switchyard_plugin_v0;

const sy_plugin switchyard_plugin_v0 = {
#if defined(WRONG_MAGIC)
    0x12345678u,
#else
    SY_PLUGIN_MAGIC,
#endif
#if defined(SHORT_STRUCT)
    40,
#else
    sizeof(sy_plugin),
#endif
#if defined(DESCRIPTOR_ABI)
    0,           9,
#else
    SY_ABI_MAJOR, SY_ABI_MINOR,
#endif
#if defined(FLAGS)
    4,
#else
    0,
#endif
#if defined(NULL_ID)
    NULL,
#else
    FIXTURE_ID,
#endif
#if defined(OTHER_VERSION)
    "1.0.1",
#else
    "1.0.0",
#endif
#if defined(OTHER_MANIFEST)
    "{}",
#else
    MANIFEST,
#endif
#if defined(NO_CHECK)
    NULL,
#else
    check_config,
#endif
    init,        start,     activate,
#if defined(NO_SERVE)
    NULL,
#else
    serve,
#endif
    NULL,
#if defined(NO_HEALTH)
    NULL,
#else
    health,
#endif
    drain,       abort_all, stop,     destroy, query, NULL, NULL,
};

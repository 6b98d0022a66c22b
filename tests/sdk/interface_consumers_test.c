/* Consumers of interfaces that nothing provides yet, written as a plugin would write them, each
 * against a provider of a few lines: what cannot be said in the interface shows here. */
#include <switchyard/catalog/state.h>
#include <switchyard/control.h>
#include <switchyard/tls.h>
#include <switchyard/version.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

#define CHECK(what)                                                                                \
  do {                                                                                             \
    if (!(what)) {                                                                                 \
      printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #what);                                    \
      ++failures;                                                                                  \
    }                                                                                              \
  } while (0)

static sy_string text(const char* words) {
  return (sy_string){words, strlen(words)};
}

static sy_bytes bytes(const char* words) {
  return (sy_bytes){words, strlen(words)};
}

/* --- switchyard.catalog.state/1: a blocking query, and a write --- */

struct sy_catalog_snapshot {
  uint64_t index;
};

struct sy_catalog_watch {
  sy_catalog_changed changed;
  void* context;
  uint64_t index;
};

/* One record, kv "a". */
typedef struct store {
  uint64_t index;
  char value[16];
  sy_catalog_watch watch; /* the one there can be */
  int snapshots;
  int watches;
} store;

static sy_status take_snapshot(void* provider, sy_catalog_snapshot** snapshot, uint64_t* index) {
  store* const self = provider;
  *snapshot = malloc(sizeof **snapshot);
  *index = (*snapshot)->index = self->index;
  ++self->snapshots;
  return SY_OK;
}

static void release_snapshot(void* provider, sy_catalog_snapshot* snapshot) {
  --((store*)provider)->snapshots;
  free(snapshot);
}

static sy_status get_record(
    void* provider,
    sy_catalog_snapshot* snapshot,
    sy_string table,
    sy_bytes key,
    sy_catalog_visit visit,
    void* context) {
  store* const self = provider;
  if (table.size != 2 || key.size != 1 || memcmp(key.data, "a", 1) != 0) return SY_NOT_FOUND;
  visit(context, key, bytes(self->value), snapshot->index);
  return SY_OK;
}

static sy_status scan_records(
    void* provider,
    sy_catalog_snapshot* snapshot,
    sy_string table,
    sy_bytes prefix,
    sy_bytes from,
    sy_catalog_visit visit,
    void* context) {
  (void)prefix, (void)from;
  return get_record(provider, snapshot, table, bytes("a"), visit, context);
}

static sy_status watch_records(
    void* provider,
    sy_string table,
    sy_bytes prefix,
    uint64_t index,
    sy_catalog_changed changed,
    void* context,
    sy_catalog_watch** watch) {
  store* const self = provider;
  (void)table, (void)prefix;
  self->watch = (sy_catalog_watch){changed, context, index};
  *watch = &self->watch;
  ++self->watches;
  if (self->index > index) changed(context, SY_OK, self->index);
  return SY_OK;
}

static void end_watch(void* provider, sy_catalog_watch* watch) {
  watch->changed = NULL;
  --((store*)provider)->watches;
}

static sy_status propose_command(
    void* provider,
    uint32_t type,
    sy_bytes command,
    uint64_t timeout,
    sy_catalog_applied applied,
    void* context) {
  store* const self = provider;
  if (type != 2 || command.size >= sizeof self->value || timeout == 0) return SY_INVALID;
  memcpy(self->value, command.data, command.size);
  self->value[command.size] = '\0';
  ++self->index;
  applied(context, SY_OK, self->index, (sy_bytes){NULL, 0}, (sy_string){NULL, 0});
  if (self->watch.changed != NULL) {
    self->watch.changed(self->watch.context, SY_OK, self->index);
  }
  return SY_OK;
}

static const sy_catalog_state catalog = {
    sizeof(sy_catalog_state),
    0,
    take_snapshot,
    release_snapshot,
    get_record,
    scan_records,
    watch_records,
    end_watch,
    propose_command};

/* A call that answers with the value, and when it is what the caller has seen already, once it has
 * changed. */
typedef struct blocking_query {
  store* provider; /* stands for a lease: taken anew for each call */
  uint64_t seen;
  sy_catalog_watch* watch;
  char answer[16];
  uint64_t answered_at;
} blocking_query;

static uint32_t remember(void* context, sy_bytes key, sy_bytes record, uint64_t modify_index) {
  blocking_query* const self = context;
  (void)key;
  memcpy(self->answer, record.data, record.size);
  self->answer[record.size] = '\0';
  self->answered_at = modify_index;
  return 0;
}

static void read_now(blocking_query* self) {
  sy_catalog_snapshot* snapshot = NULL;
  uint64_t index = 0;
  CHECK(catalog.snapshot(self->provider, &snapshot, &index) == SY_OK);
  CHECK(catalog.get(self->provider, snapshot, text("kv"), bytes("a"), remember, self) == SY_OK);
  catalog.release(self->provider, snapshot);
}

static void something_changed(void* context, sy_status status, uint64_t index) {
  blocking_query* const self = context;
  CHECK(status == SY_OK && index > self->seen);
  read_now(self);
}

static void
note_index(void* context, sy_status status, uint64_t index, sy_bytes result, sy_string error) {
  (void)result, (void)error;
  if (status == SY_OK) *(uint64_t*)context = index;
}

static void consume_catalog(void) {
  store provider = {.index = 7, .value = "one"};
  blocking_query query = {.provider = &provider, .seen = 7};
  uint64_t applied = 0;
  CHECK(
      catalog.watch(
          &provider, text("kv"), bytes("a"), query.seen, something_changed, &query, &query.watch) ==
      SY_OK);
  CHECK(query.answered_at == 0);
  CHECK(
      catalog.propose(&provider, 2, bytes("two"), UINT64_C(1000000000), note_index, &applied) ==
      SY_OK);
  CHECK(applied == 8 && query.answered_at == 8 && strcmp(query.answer, "two") == 0);
  catalog.unwatch(&provider, query.watch);
  CHECK(provider.snapshots == 0 && provider.watches == 0);
}

/* --- switchyard.host.control/1: a page that replaces a plugin and shows the phases --- */

static sy_status carry_out(
    const sy_host* host,
    sy_string request,
    sy_control_line line,
    sy_control_done done,
    void* context) {
  (void)host;
  if (request.size == 0 || request.data[0] != '{') return SY_INVALID;
  if (line != NULL) line(context, text("{\"phase\":\"verified\"}"));
  if (line != NULL) line(context, text("{\"phase\":\"flipped\"}"));
  done(context, SY_OK, text("{\"plugin\":\"netrpc\",\"generation\":2}"));
  return SY_OK;
}

static const sy_control control = {sizeof(sy_control), 0, carry_out};

typedef struct page {
  int phases;
  int answers;
  char answer[64];
} page;

static void show_phase(void* context, sy_string line) {
  (void)line;
  ++((page*)context)->phases;
}

static void show_answer(void* context, sy_status status, sy_string answer) {
  page* const self = context;
  CHECK(status == SY_OK && answer.size < sizeof self->answer);
  memcpy(self->answer, answer.data, answer.size);
  ++self->answers;
}

static void consume_control(void) {
  page shown = {0};
  const sy_string swap = text("{\"command\":\"plugin.swap\",\"name\":\"netrpc\"}");
  CHECK(SY_HAS(&control, sy_control, request));
  CHECK(control.request(NULL, swap, show_phase, show_answer, &shown) == SY_OK);
  CHECK(shown.phases == 2 && shown.answers == 1);
  CHECK(control.request(NULL, text("swap"), NULL, show_answer, &shown) == SY_INVALID);
}

/* --- switchyard.host.tls/1: a CA of its own, whose certificate is renewed --- */

struct sy_tls_certificate {
  char name[64];
  char key[16];
};

static sy_status
renew(sy_tls_certificate* certificate, const sy_tls_identity* identity, sy_error* error) {
  if (identity->key.size == 0 || identity->key.size >= sizeof certificate->key) {
    error->code = SY_INVALID;
    snprintf(error->text, sizeof error->text, "the key is of another certificate");
    return SY_INVALID;
  }
  memcpy(certificate->key, identity->key.data, identity->key.size);
  certificate->key[identity->key.size] = '\0';
  return SY_OK;
}

static sy_status install(
    const sy_host* host,
    const sy_tls_identity* identity,
    sy_tls_certificate** certificate,
    sy_error* error) {
  (void)host;
  if (identity->server_name.size >= sizeof(*certificate)->name) return SY_INVALID;
  *certificate = calloc(1, sizeof **certificate);
  memcpy((*certificate)->name, identity->server_name.data, identity->server_name.size);
  return renew(*certificate, identity, error);
}

static void take_away(sy_tls_certificate* certificate) {
  free(certificate);
}

static const sy_tls tls = {sizeof(sy_tls), 0, install, renew, take_away};

static void consume_tls(void) {
  sy_tls_certificate* certificate = NULL;
  sy_error error = {.struct_size = sizeof error};
  sy_tls_identity identity = {
      .struct_size = sizeof identity,
      .clients = SY_TLS_CLIENTS_REQUIRED,
      .server_name = text("server.dc1.peering.11111111-2222-3333-4444-555555555555.consul"),
      .certificate = text("PEM"),
      .key = text("first"),
      .client_roots = text("PEM")};
  CHECK(tls.install(NULL, &identity, &certificate, &error) == SY_OK);
  identity.key = text("second");
  CHECK(tls.replace(certificate, &identity, &error) == SY_OK);
  CHECK(strcmp(certificate->key, "second") == 0);
  identity.key = text("");
  CHECK(tls.replace(certificate, &identity, &error) == SY_INVALID && error.text[0] != '\0');
  CHECK(strcmp(certificate->key, "second") == 0); /* the old stay */
  tls.remove(certificate);
}

int main(void) {
  consume_catalog();
  consume_control();
  consume_tls();
  return failures != 0;
}

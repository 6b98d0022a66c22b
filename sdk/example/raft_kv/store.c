#include "store.h"

#include <openssl/evp.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_SIZE (64u << 20) /* of a snapshot that is read */
#define CHUNK 65536

kv_store* kv_store_create(void) {
  return calloc(1, sizeof(kv_store));
}

void kv_store_free(kv_store* store) {
  if (store == NULL) return;
  for (size_t at = 0; at < store->count; ++at) {
    free(store->pairs[at].key);
    free(store->pairs[at].value);
  }
  free(store->pairs);
  free(store);
}

/* The first pair whose key is not less. */
static size_t place_of(const kv_store* store, const char* key) {
  size_t low = 0;
  size_t high = store->count;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (strcmp(store->pairs[middle].key, key) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

static int holds(const kv_store* store, size_t at, const char* key) {
  return at < store->count && strcmp(store->pairs[at].key, key) == 0;
}

const char* kv_store_get(const kv_store* store, const char* key) {
  const size_t at = place_of(store, key);
  return holds(store, at, key) ? store->pairs[at].value : NULL;
}

static int set(kv_store* store, const char* key, const char* value) {
  const size_t at = place_of(store, key);
  char* const copy = strdup(value);
  if (copy == NULL) return 0;
  if (holds(store, at, key)) {
    free(store->pairs[at].value);
    store->pairs[at].value = copy;
    return 1;
  }
  if (store->count == store->room) {
    const size_t room = store->room == 0 ? 64 : 2 * store->room;
    kv_pair* const pairs = realloc(store->pairs, room * sizeof *pairs);
    if (pairs == NULL) return free(copy), 0;
    store->pairs = pairs;
    store->room = room;
  }
  char* const name = strdup(key);
  if (name == NULL) return free(copy), 0;
  memmove(&store->pairs[at + 1], &store->pairs[at], (store->count - at) * sizeof *store->pairs);
  store->pairs[at] = (kv_pair){name, copy};
  ++store->count;
  return 1;
}

static void del(kv_store* store, const char* key) {
  const size_t at = place_of(store, key);
  if (!holds(store, at, key)) return;
  free(store->pairs[at].key);
  free(store->pairs[at].value);
  --store->count;
  memmove(&store->pairs[at], &store->pairs[at + 1], (store->count - at) * sizeof *store->pairs);
}

kv_store* kv_store_copy(const kv_store* store) {
  kv_store* const copy = kv_store_create();
  if (copy == NULL) return NULL;
  for (size_t at = 0; at < store->count; ++at) {
    if (!set(copy, store->pairs[at].key, store->pairs[at].value)) {
      kv_store_free(copy);
      return NULL;
    }
  }
  copy->commands = store->commands;
  memcpy(copy->chain, store->chain, KV_CHAIN_SIZE);
  return copy;
}

static int count(kv_store* store, sy_bytes command) {
  EVP_MD_CTX* const hash = EVP_MD_CTX_new();
  const int done = hash != NULL && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1 &&
                   EVP_DigestUpdate(hash, store->chain, KV_CHAIN_SIZE) == 1 &&
                   EVP_DigestUpdate(hash, command.data, command.size) == 1 &&
                   EVP_DigestFinal_ex(hash, store->chain, NULL) == 1;
  EVP_MD_CTX_free(hash);
  ++store->commands;
  return done;
}

#define WORDS 4

/* Splits at blanks; more than WORDS are joined by one blank each, in the last. */
static size_t split(char* text, char** words) {
  static const char kBlank[] = " \t\n\v\f\r";
  size_t found = 0;
  char* end = text;
  for (;;) {
    text += strspn(text, kBlank);
    if (*text == '\0') return found;
    const size_t size = strcspn(text, kBlank);
    char* const next = text + size + (text[size] != '\0' ? 1 : 0);
    if (found < WORDS) {
      words[found++] = text;
      end = text + size;
    } else {
      *end++ = ' ';
      memmove(end, text, size);
      end += size;
    }
    *end = '\0';
    text = next;
  }
}

static char* joined(const char* first, const char* second) {
  const size_t size = strlen(first) + strlen(second) + 1;
  char* const text = malloc(size);
  if (text != NULL) snprintf(text, size, "%s%s", first, second);
  return text;
}

char* kv_store_apply(kv_store* store, sy_bytes command) {
  if (!count(store, command)) return NULL;
  char* const text = malloc(command.size + 1);
  if (text == NULL) return NULL;
  if (command.size != 0) memcpy(text, command.data, command.size);
  text[command.size] = '\0';

  char* words[WORDS];
  const size_t found = split(text, words);
  char* result = NULL;
  int stored = 1;
  if (found >= 2 && strcmp(words[0], "set") == 0) {
    /* A value of several words. */
    char* value = joined(found > 2 ? words[2] : "", found > 3 ? " " : "");
    char* const whole = value == NULL ? NULL : joined(value, found > 3 ? words[3] : "");
    stored = whole != NULL && set(store, words[1], whole);
    free(value);
    free(whole);
  } else if (found == 2 && strcmp(words[0], "del") == 0) {
    del(store, words[1]);
  } else if (found == 2 && strcmp(words[0], "get") == 0) {
    const char* const value = kv_store_get(store, words[1]);
    result = strdup(value == NULL ? "" : value);
  } else if (found == 4 && strcmp(words[0], "cas") == 0 && strchr(words[3], ' ') == NULL) {
    const char* const value = kv_store_get(store, words[1]);
    if (strcmp(value == NULL ? "" : value, words[2]) == 0) {
      stored = set(store, words[1], words[3]);
    } else {
      result = joined("fail ", value == NULL ? "" : value);
    }
  }
  free(text);
  if (!stored) return NULL;
  return result != NULL ? result : strdup("ok");
}

/* Collects small pieces. */
typedef struct output {
  const sy_raft_sink* sink;
  sy_status status;
  size_t size;
  char bytes[CHUNK];
} output;

static void flush(output* out) {
  if (out->status == SY_OK && out->size != 0) {
    out->status = out->sink->write(out->sink, (sy_bytes){out->bytes, out->size});
  }
  out->size = 0;
}

static void put(output* out, const char* bytes, size_t size) {
  while (size != 0) {
    if (out->size == CHUNK) flush(out);
    const size_t part = size < CHUNK - out->size ? size : CHUNK - out->size;
    memcpy(out->bytes + out->size, bytes, part);
    out->size += part;
    bytes += part;
    size -= part;
  }
}

static void put_hex(output* out, const void* data, size_t size) {
  static const char kDigits[] = "0123456789abcdef";
  const unsigned char* const bytes = data;
  for (size_t at = 0; at < size; ++at) {
    const char hex[2] = {kDigits[bytes[at] >> 4], kDigits[bytes[at] & 15]};
    put(out, hex, sizeof hex);
  }
}

sy_status kv_store_write(const kv_store* store, size_t padding, const sy_raft_sink* sink) {
  output* const out = malloc(sizeof *out);
  if (out == NULL) return SY_NO_MEMORY;
  out->sink = sink;
  out->status = SY_OK;
  out->size = 0;

  char head[64];
  int size = snprintf(head, sizeof head, "KVT1\n%" PRIu64 "\n", store->commands);
  put(out, head, (size_t)size);
  put_hex(out, store->chain, KV_CHAIN_SIZE);
  size = snprintf(head, sizeof head, "\n%zu\n", store->count);
  put(out, head, (size_t)size);
  for (size_t at = 0; at < store->count && out->status == SY_OK; ++at) {
    put_hex(out, store->pairs[at].key, strlen(store->pairs[at].key));
    put(out, " ", 1);
    put_hex(out, store->pairs[at].value, strlen(store->pairs[at].value));
    put(out, "\n", 1);
  }
  for (size_t at = 0; at < padding && out->status == SY_OK; ++at)
    put(out, "P", 1);
  flush(out);
  const sy_status status = out->status;
  free(out);
  return status;
}

typedef struct input {
  const sy_raft_source* source;
  sy_bytes bytes; /* not yet taken */
  sy_status status;
  char* line;
  size_t room;
} input;

/* The next line without its end; NULL when there is none, or something is wrong. */
static char* next_line(input* in) {
  size_t size = 0;
  while (in->status == SY_OK) {
    if (in->bytes.size == 0) {
      in->status = in->source->read(in->source, &in->bytes);
      if (in->status == SY_OK && in->bytes.size == 0) in->status = SY_INVALID;
      continue;
    }
    const char* const start = in->bytes.data;
    const char* const end = memchr(start, '\n', in->bytes.size);
    const size_t part = end == NULL ? in->bytes.size : (size_t)(end - start);
    if (size + part + 1 > in->room) {
      const size_t room = 2 * (size + part + 1);
      char* const line = size + part > LINE_MAX_SIZE ? NULL : realloc(in->line, room);
      if (line == NULL) {
        in->status = size + part > LINE_MAX_SIZE ? SY_INVALID : SY_NO_MEMORY;
        break;
      }
      in->line = line;
      in->room = room;
    }
    memcpy(in->line + size, start, part);
    size += part;
    in->bytes.data = start + part + (end == NULL ? 0 : 1);
    in->bytes.size -= part + (end == NULL ? 0 : 1);
    if (end != NULL) return in->line[size] = '\0', in->line;
  }
  return NULL;
}

/* Turns hexadecimal into what it stands for, in place; the size, or SIZE_MAX. */
static size_t unhex(char* text) {
  size_t size = 0;
  for (const char* at = text; *at != '\0'; at += 2) {
    unsigned byte = 0;
    if (at[1] == '\0' || strspn(at, "0123456789abcdef") < 2 || sscanf(at, "%2x", &byte) != 1) {
      return SIZE_MAX;
    }
    text[size++] = (char)byte;
  }
  text[size] = '\0';
  return size;
}

static int read_number(input* in, uint64_t* number) {
  const char* const line = next_line(in);
  if (line == NULL) return 0;
  char* end = NULL;
  *number = strtoull(line, &end, 10);
  return end != line && *end == '\0';
}

static int read_pairs(input* in, kv_store* store) {
  uint64_t pairs = 0;
  char* line = next_line(in);
  if (line == NULL || strcmp(line, "KVT1") != 0 || !read_number(in, &store->commands)) return 0;
  line = next_line(in);
  if (line == NULL || unhex(line) != KV_CHAIN_SIZE) return 0;
  memcpy(store->chain, line, KV_CHAIN_SIZE);
  if (!read_number(in, &pairs)) return 0;
  for (; pairs != 0; --pairs) {
    line = next_line(in);
    char* const blank = line == NULL ? NULL : strchr(line, ' ');
    if (blank == NULL) return 0;
    *blank = '\0';
    if (unhex(line) == SIZE_MAX || unhex(blank + 1) == SIZE_MAX) return 0;
    if (!set(store, line, blank + 1)) return in->status = SY_NO_MEMORY, 0;
  }
  while (in->status == SY_OK && in->bytes.size != 0) { /* the padding, to the end */
    in->status = in->source->read(in->source, &in->bytes);
  }
  return in->status == SY_OK;
}

sy_status kv_store_read(const sy_raft_source* source, kv_store** store) {
  input in = {source, {NULL, 0}, SY_OK, NULL, 0};
  kv_store* const read = kv_store_create();
  if (read == NULL) return SY_NO_MEMORY;
  const int whole = read_pairs(&in, read);
  free(in.line);
  if (whole) return *store = read, SY_OK;
  kv_store_free(read);
  return in.status == SY_OK ? SY_INVALID : in.status;
}

#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static sy_status refuse(sy_error* error, const char* format, ...) {
  if (error != NULL) {
    va_list words;
    va_start(words, format);
    error->code = SY_INVALID;
    vsnprintf(error->text, sizeof error->text, format, words);
    va_end(words);
  }
  return SY_INVALID;
}

/* What is left of the text. */
typedef struct reader {
  const char* at;
  const char* end;
} reader;

static void skip_blanks(reader* in) {
  while (in->at < in->end && strchr(" \t\r\n", *in->at) != NULL && *in->at != '\0')
    ++in->at;
}

/* Takes `wanted` after blanks, if it is there. */
static int take(reader* in, char wanted) {
  skip_blanks(in);
  if (in->at == in->end || *in->at != wanted) return 0;
  ++in->at;
  return 1;
}

/* Where a string goes: at most `capacity` bytes; `size` goes on counting beyond it. */
typedef struct sink {
  char* data;
  size_t capacity;
  size_t size;
} sink;

static void put(sink* out, unsigned byte) {
  if (out->size < out->capacity) out->data[out->size] = (char)byte;
  ++out->size;
}

static void put_utf8(sink* out, unsigned long point) {
  if (point < 0x80) {
    put(out, (unsigned)point);
  } else if (point < 0x800) {
    put(out, (unsigned)(0xC0 | point >> 6));
    put(out, (unsigned)(0x80 | (point & 0x3F)));
  } else if (point < 0x10000) {
    put(out, (unsigned)(0xE0 | point >> 12));
    put(out, (unsigned)(0x80 | (point >> 6 & 0x3F)));
    put(out, (unsigned)(0x80 | (point & 0x3F)));
  } else {
    put(out, (unsigned)(0xF0 | point >> 18));
    put(out, (unsigned)(0x80 | (point >> 12 & 0x3F)));
    put(out, (unsigned)(0x80 | (point >> 6 & 0x3F)));
    put(out, (unsigned)(0x80 | (point & 0x3F)));
  }
}

/* The four hexadecimal digits of \uXXXX; -1 when they are not. */
static long take_unit(reader* in) {
  long unit = 0;
  int digit;
  for (digit = 0; digit < 4; ++digit) {
    static const char kDigits[] = "0123456789abcdef0123456789ABCDEF";
    const char* const found = in->at < in->end && *in->at != '\0' ? strchr(kDigits, *in->at) : NULL;
    if (found == NULL) return -1;
    unit = unit * 16 + (found - kDigits) % 16;
    ++in->at;
  }
  return unit;
}

/* What follows a backslash (RFC 8259 §7). A surrogate that stands alone is refused. */
static int take_escape(reader* in, sink* out) {
  static const char kNames[] = "\"\\/bfnrt";
  static const char kBytes[] = "\"\\/\b\f\n\r\t";
  if (in->at == in->end || *in->at == '\0') return 0;
  const char name = *in->at++;
  if (name == 'u') {
    long point = take_unit(in);
    if (point >= 0xD800 && point < 0xDC00) {
      if (in->end - in->at < 2 || in->at[0] != '\\' || in->at[1] != 'u') return 0;
      in->at += 2;
      const long low = take_unit(in);
      if (low < 0xDC00 || low > 0xDFFF) return 0;
      point = 0x10000 + (point - 0xD800) * 0x400 + (low - 0xDC00);
    } else if (point < 0 || (point >= 0xDC00 && point < 0xE000)) {
      return 0;
    }
    put_utf8(out, (unsigned long)point);
    return 1;
  }
  const char* const known = strchr(kNames, name);
  if (known == NULL) return 0;
  put(out, (unsigned char)kBytes[known - kNames]);
  return 1;
}

/* Takes a string literal after blanks, if one is there and whole. */
static int take_string(reader* in, sink* out) {
  if (!take(in, '"')) return 0;
  while (in->at < in->end) {
    const unsigned char byte = (unsigned char)*in->at++;
    if (byte == '"') return 1;
    if (byte < 0x20) return 0;
    if (byte != '\\') {
      put(out, byte);
    } else if (!take_escape(in, out)) {
      return 0;
    }
  }
  return 0;
}

sy_status echo_config_read(sy_string json, echo_config* config, sy_error* error) {
  reader in = {json.data, json.data + json.size};
  int seen = 0;
  config->greeting_size = 0;
  if (json.size == 0) return SY_OK;
  if (!take(&in, '{')) return refuse(error, "the configuration is not a table");
  if (!take(&in, '}')) {
    do {
      char key[32];
      sink name = {key, sizeof key, 0};
      if (!take_string(&in, &name) || !take(&in, ':')) {
        return refuse(error, "the configuration is not valid JSON");
      }
      const size_t shown = name.size < sizeof key ? name.size : sizeof key;
      if (name.size != strlen("greeting") || memcmp(key, "greeting", name.size) != 0) {
        return refuse(error, "unknown key \"%.*s\"; the only key is \"greeting\"", (int)shown, key);
      }
      if (seen++) return refuse(error, "\"greeting\" is there twice");
      sink greeting = {config->greeting, sizeof config->greeting, 0};
      if (!take_string(&in, &greeting)) return refuse(error, "\"greeting\" must be a string");
      if (greeting.size > sizeof config->greeting) {
        return refuse(
            error,
            "\"greeting\" has %zu bytes; at most %d are allowed",
            greeting.size,
            ECHO_GREETING_MAX);
      }
      config->greeting_size = greeting.size;
    } while (take(&in, ','));
    if (!take(&in, '}')) return refuse(error, "the configuration is not valid JSON");
  }
  skip_blanks(&in);
  if (in.at != in.end) return refuse(error, "the configuration is not valid JSON");
  return SY_OK;
}

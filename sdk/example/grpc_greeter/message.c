#include "message.h"

#include <string.h>

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

/* What is left of the message. */
typedef struct reader {
  const unsigned char* at;
  const unsigned char* end;
} reader;

/* Base 128, least significant group first; at most ten bytes. */
static int take_varint(reader* in, uint64_t* value) {
  unsigned shift;
  *value = 0;
  for (shift = 0; shift < 70; shift += 7) {
    if (in->at == in->end) return 0;
    const unsigned char byte = *in->at++;
    if (shift == 63 && byte > 1) return 0;
    *value |= (uint64_t)(byte & 0x7F) << shift;
    if (byte < 0x80) return 1;
  }
  return 0;
}

static int take_bytes(reader* in, uint64_t size, const unsigned char** bytes) {
  if (size > (uint64_t)(in->end - in->at)) return 0;
  *bytes = in->at;
  in->at += size;
  return 1;
}

int greeter_request_read(sy_bytes message, greeter_request* request) {
  const unsigned char* const begin = message.data;
  reader in = {begin, message.size == 0 ? begin : begin + message.size};
  request->name_size = 0;
  request->times = 0;
  while (in.at != in.end) {
    uint64_t key;
    uint64_t value = 0;
    const unsigned char* bytes = NULL;
    if (!take_varint(&in, &key) || key >> 3 == 0 || key >> 3 > 0x1FFFFFFF) return 0;
    switch (key & 7) {
    case WIRE_VARINT:
      if (!take_varint(&in, &value)) return 0;
      if (key >> 3 == 2) request->times = (uint32_t)value;
      break;
    case WIRE_BYTES:
      if (!take_varint(&in, &value) || !take_bytes(&in, value, &bytes)) return 0;
      if (key >> 3 != 1) break;
      if (value > sizeof request->name) return 0;
      if (value != 0) memcpy(request->name, bytes, (size_t)value);
      request->name_size = (size_t)value;
      break;
    case WIRE_64:
      if (!take_bytes(&in, 8, &bytes)) return 0;
      break;
    case WIRE_32:
      if (!take_bytes(&in, 4, &bytes)) return 0;
      break;
    default: return 0; /* groups, which no proto3 has */
    }
  }
  return 1;
}

size_t greeter_greeting_write(
    const greeter_request* request, unsigned char message[GREETER_GREETING_MAX]) {
  static const char kHello[] = "Hello, ";
  const size_t hello = sizeof kHello - 1;
  const size_t text = hello + request->name_size + 1;
  size_t size = 0;
  message[size++] = 1 << 3 | WIRE_BYTES;
  if (text < 0x80) {
    message[size++] = (unsigned char)text;
  } else {
    message[size++] = (unsigned char)(0x80 | (text & 0x7F));
    message[size++] = (unsigned char)(text >> 7);
  }
  memcpy(message + size, kHello, hello);
  if (request->name_size != 0) memcpy(message + size + hello, request->name, request->name_size);
  message[size + text - 1] = '!';
  return size + text;
}

#include "greeting.h"

#include <string.h>

size_t greeting_line(const char* bytes, size_t size) {
  const char* const end = memchr(bytes, '\n', size);
  return end == NULL ? 0 : (size_t)(end - bytes) + 1;
}

size_t greeting_answer(const char* line, size_t size, char* answer) {
  static const char greeting[] = GREETING;
  memcpy(answer, greeting, sizeof greeting - 1);
  memcpy(answer + sizeof greeting - 1, line, size);
  return sizeof greeting - 1 + size;
}

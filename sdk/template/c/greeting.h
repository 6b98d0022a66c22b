/* What is said on the wire: a line comes, "hello, LINE" goes. Bytes in, bytes out: no connection,
 * clock or thread, so that a test needs none either. */
#pragma once

#include <stddef.h>

#define GREETING_LINE_MAX 200 /* bytes of a line, its end included */
#define GREETING "hello, "
#define GREETING_MAX (GREETING_LINE_MAX + sizeof GREETING - 1)

/* The length of the first line in `bytes`, its '\n' included; 0 when there is no whole one yet. */
size_t greeting_line(const char* bytes, size_t size);

/* Writes the answer to a line of `size` bytes into `answer` (GREETING_MAX bytes); its length. */
size_t greeting_answer(const char* line, size_t size, char* answer);

#include "greeting.h"

#include <stdio.h>
#include <string.h>

static int failures;

#define CHECK(what)                                                                                \
  do {                                                                                             \
    if (!(what)) {                                                                                 \
      printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #what);                                    \
      ++failures;                                                                                  \
    }                                                                                              \
  } while (0)

int main(void) {
  char answer[GREETING_MAX];

  CHECK(greeting_line("", 0) == 0);
  CHECK(greeting_line("ann", 3) == 0);
  CHECK(greeting_line("ann\nbob\n", 8) == 4);

  CHECK(greeting_answer("ann\n", 4, answer) == 11);
  CHECK(memcmp(answer, "hello, ann\n", 11) == 0);
  return failures != 0;
}

/* What an operator can ask of the host, for a plugin that serves operators (a page, an API). */
#pragma once

#include <switchyard/host.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SY_CONTROL "switchyard.host.control/1"

/* A line that precedes an answer: a phase of a swap that has passed, as JSON. Not after the answer.
 * [any thread] */
typedef void (*sy_control_line)(void* context, sy_string line);

/* The answer, a JSON object; `{"error": sentence}` when status is not SY_OK. Called exactly once,
 * never from inside request. [any thread] */
typedef void (*sy_control_done)(void* context, sy_status status, sy_string answer);

typedef struct sy_control {
  uint32_t struct_size;
  uint32_t reserved;

  /* Carries out a request of the control socket: a JSON object whose "command" is "status",
   * "metrics", "plugin.list", "plugin.why", "plugin.swap", "plugin.rollback" or "reload", with the
   * shapes of host/control/README.md. Errors are counted there for each generation. A plugin may
   * ask for its own replacement, and hears the phases up to the flip. `line` may be NULL.
   * SY_INVALID: not such an object; SY_LIMIT: 16 requests are under way; SY_CANCELLED: the plugin
   * drains, or the server stops. Once the plugin has drained no line and no answer comes any more.
   * [any thread] */
  sy_status (*request)(
      const sy_host* host,
      sy_string request,
      sy_control_line line,
      sy_control_done done,
      void* context);
} sy_control;

#ifdef __cplusplus
} /* extern "C" */
#endif

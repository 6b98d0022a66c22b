/* What the host is to one plugin instance. */
#pragma once

#include <switchyard/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef uint32_t sy_log_level;

#define SY_LOG_TRACE 0u
#define SY_LOG_DEBUG 1u
#define SY_LOG_INFO 2u  /* lifecycle */
#define SY_LOG_WARN 3u  /* a peer broke a contract; the host samples a flood of these */
#define SY_LOG_ERROR 4u /* an operator must act */

/* One per plugin instance, valid from init() until destroy() has returned. */
typedef struct sy_host {
  uint32_t struct_size;
  uint32_t reserved;
  void* host_data; /* the host's own */

  /* Writes one line to the host's log under the plugin's name. A constant phrase, then key=value.
   * [any thread] */
  void (*log)(const struct sy_host* host, sy_log_level level, sy_string line);

  /* 1 when a line of this level would be written. [any thread] */
  uint32_t (*log_enabled)(const struct sy_host* host, sy_log_level level);

  /* A service of the host by its id ("switchyard.host.loops/1"), or NULL when this host has none.
   * The table is valid as long as `host`. [any thread] */
  const void* (*service)(const struct sy_host* host, const char* id);
} sy_host;

#ifdef __cplusplus
} /* extern "C" */
#endif

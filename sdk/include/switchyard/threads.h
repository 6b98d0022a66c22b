/* Threads of a plugin, started through the host so that an unload can be proven. */
#pragma once

#include <switchyard/host.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SY_THREADS "switchyard.host.threads/1"

typedef struct sy_thread sy_thread;

typedef struct sy_threads {
  uint32_t struct_size;
  uint32_t reserved;

  /* Starts a thread named `name` (at most 15 bytes are shown by the system) that runs `run`.
   * Every thread is joined before stop() returns. [any thread] */
  sy_status (*spawn)(
      const sy_host* host, sy_string name, sy_callback run, void* context, sy_thread** thread);

  /* Waits until the thread has ended and frees it. Not on a loop. [control] or a plugin's thread */
  void (*join)(const sy_host* host, sy_thread* thread);
} sy_threads;

#ifdef __cplusplus
} /* extern "C" */
#endif

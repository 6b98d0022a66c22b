/* Metrics of a plugin, kept and exposed by the host. */
#pragma once

#include <switchyard/host.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SY_METRICS "switchyard.host.metrics/1"

typedef struct sy_metric sy_metric;

/* Declared in init(), frozen afterwards. Names follow the Prometheus rules ([a-zA-Z_][a-zA-Z0-9_]*,
 * a unit and `_total` for counters at the end); the host puts "switchyard_<plugin>_" in front. */
typedef struct sy_metrics {
  uint32_t struct_size;
  uint32_t reserved;

  /* A number that only rises. SY_INVALID for a bad name, SY_BUSY after init(). [control] */
  sy_status (*counter)(const sy_host* host, sy_string name, sy_string help, sy_metric** metric);

  /* A number that rises and falls. [control] */
  sy_status (*gauge)(const sy_host* host, sy_string name, sy_string help, sy_metric** metric);

  /* Adds to a counter (`amount` >= 0) or a gauge. [any thread] */
  void (*add)(sy_metric* metric, double amount);
} sy_metrics;

#ifdef __cplusplus
} /* extern "C" */
#endif

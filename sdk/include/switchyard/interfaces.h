/* Plugins use each other through interfaces that the host holds: found by id, leased for a call. */
#pragma once

#include <switchyard/host.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SY_INTERFACES "switchyard.host.interfaces/1"

/* A consumer's handle on an interface. It outlives the provider: when that has gone or is replaced,
 * the next lease says so or leads to the new one. */
typedef struct sy_interface sy_interface;

/* The right to call one provider until it is released. Keep it for one call, not across a wait: a
 * provider cannot leave while a lease is out. Filled by acquire. */
typedef struct sy_lease {
  const void* table; /* the provider's table for this interface */
  void* provider;    /* first argument of every function in the table */
  void* host_data;
} sy_lease;

typedef struct sy_interfaces {
  uint32_t struct_size;
  uint32_t reserved;

  /* Opens a handle on an interface that the manifest requires (a provider need not be there yet
   * when it is optional). SY_NOT_FOUND when the manifest does not name it. [control] */
  sy_status (*open)(const sy_host* host, const char* id, sy_interface** handle, sy_error* error);

  /* [control] */
  void (*close)(sy_interface* handle);

  /* SY_OK, or SY_REVOKED while there is no provider. [any thread] */
  sy_status (*acquire)(sy_interface* handle, sy_lease* lease);

  /* [any thread] */
  void (*release)(sy_lease* lease);
} sy_interfaces;

#ifdef __cplusplus
} /* extern "C" */
#endif

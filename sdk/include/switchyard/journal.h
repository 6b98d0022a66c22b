/* Registrations of one plugin with another (an endpoint, a service), written down by the host, so
 * that they survive a replacement of either side. */
#pragma once

#include <switchyard/host.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SY_JOURNAL "switchyard.host.journal/1"

typedef struct sy_registration sy_registration;

/* What bind and exchange are given; valid until it is unbound. */
typedef struct sy_binding {
  sy_registration* registration;
  sy_string key;
  const void* entry;
  size_t entry_size;
} sy_binding;

/* The head of the table of every interface that takes registrations; its manifest entry says
 * "registrar": true. The host calls it; `provider` is the provider's instance. */
typedef struct sy_registrar {
  uint32_t struct_size; /* of the whole table */
  uint32_t reserved;

  /* Makes `entry` reachable under `key`. `registration`, `key` and `entry` are valid until unbind.
   * SY_EXISTS when the key is taken. [control] */
  sy_status (*bind)(
      void* provider,
      sy_registration* registration,
      sy_string key,
      const void* entry,
      size_t entry_size,
      sy_error* error);

  /* Starts no new call through the registration once it has returned. [control] */
  void (*unbind)(void* provider, sy_registration* registration);

  /* Unbinds `gone` and binds `come`, whose keys may be the same, in one step for whoever calls:
   * a call begins through one set or the other, and none meets a gap. On failure nothing has
   * changed. NULL: a plugin that has registered here cannot be swapped. [control] */
  sy_status (*exchange)(
      void* provider,
      sy_registration* const* gone,
      size_t gone_count,
      const sy_binding* come,
      size_t come_count,
      sy_error* error);

  /* Tells calls that run through the registration, which may have been unbound, that their end is
   * wanted soon, as a drain of the provider does: those that can last, or every one if `all` is not
   * 0. NULL: its calls are all short. [control] */
  void (*end_soon)(void* provider, sy_registration* registration, uint32_t all);
} sy_registrar;

typedef struct sy_journal {
  uint32_t struct_size;
  uint32_t reserved;

  /* Registers `entry` (copied, entry_size bytes, starting with its struct_size) under `key` with
   * the provider of `interface_id`, now or as soon as there is one. Removed by remove, or by the
   * host when the registrant stops. [control] */
  sy_status (*add)(
      const sy_host* host,
      const char* interface_id,
      sy_string key,
      const void* entry,
      size_t entry_size,
      sy_registration** registration,
      sy_error* error);

  /* Returns when no call through the registration is running any more, or when half of the host's
   * limits.control_timeout has passed: the registrant's code stays in memory then. [control] */
  void (*remove)(sy_registration* registration);

  /* For the provider: keeps the registrant from leaving while a call into its entry runs or waits
   * for its answer. SY_REVOKED once the registration is going away. [any thread] */
  sy_status (*enter)(sy_registration* registration);

  /* [any thread] */
  void (*leave)(sy_registration* registration);
} sy_journal;

#ifdef __cplusplus
} /* extern "C" */
#endif

/* What a plugin is: one exported data symbol and a manifest in an ELF note. */
#pragma once

#include <switchyard/connection.h>
#include <switchyard/host.h>
#include <switchyard/version.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SY_PLUGIN_MAGIC 0x64726179u /* "yard", little-endian */

/* The instance of one loaded generation; the plugin's own. */
typedef struct sy_instance sy_instance;

/* Tells the host that a drain is complete. [any thread] */
typedef void (*sy_drain_done)(void* context);

/* Where quiesce writes what the next instance of an exclusive plugin goes on from. */
typedef struct sy_state_sink sy_state_sink;

struct sy_state_sink {
  uint32_t struct_size;
  uint32_t version; /* the format that is wanted, one of those that the manifest's "state" writes */
  void* host_data;

  /* Appends to the state. SY_LIMIT above 64 MiB. [control], during quiesce */
  sy_status (*write)(const sy_state_sink* sink, sy_bytes bytes);

  /* Adds a descriptor (a lock, a socket), of which the host keeps a duplicate. SY_LIMIT above 16.
   * [control], during quiesce */
  sy_status (*descriptor)(const sy_state_sink* sink, int descriptor);
};

/* What quiesce has written. All of it is borrowed for the call: duplicate a descriptor to keep it.
 */
typedef struct sy_state {
  uint32_t struct_size;
  uint32_t version; /* its format, one of those that the manifest's "state" reads */
  sy_bytes data;
  const int* descriptors;
  size_t descriptor_count;
} sy_state;

/* Order of calls: check_config (in a child process, nothing else is called there) ·
 * init → start → activate → { serve, health } … → drain → stop → destroy.
 * After a failed init: nothing. After a failed start or activate: stop → destroy.
 * An exclusive one may be asked to quiesce, and is then as after start; take_over can come in the
 * place of activate.
 * No exception may leave any of them. [control] is one thread; each call has a time limit. */
typedef struct sy_plugin {
  uint32_t magic;
  uint32_t struct_size;
  uint16_t abi_major;
  uint16_t abi_minor;
  uint32_t flags; /* 0; none are defined in ABI 0.5 */

  const char* id;       /* as in the manifest */
  const char* version;  /* as in the manifest */
  const char* manifest; /* the same bytes as in the note */

  /* Judges the plugin's `config` of plugins.toml, a JSON object. Touches nothing else. NULL: takes
   * an empty one only. [control] */
  sy_status (*check_config)(sy_string config, sy_error* error);

  /* Makes an instance. Registrations, metrics and interface handles are made here; no outgoing
   * work. [control] */
  sy_status (*init)(const sy_host* host, sy_string config, sy_instance** instance, sy_error* error);

  /* Gets ready without taking anything that a second instance could not share. [control] */
  sy_status (*start)(sy_instance* instance, sy_error* error);

  /* Begins all work of its own, outgoing connections among it. [control] */
  sy_status (*activate)(sy_instance* instance, sy_error* error);

  /* Takes a connection of the `protocol`-th protocol in the manifest (from 0). SY_OK: the plugin
   * owns it now. Anything else: the host closes it. NULL when the manifest has no protocol. [loop]
   * of the connection */
  sy_status (*serve)(sy_instance* instance, uint32_t protocol, sy_connection* connection);

  /* The same for a protocol whose manifest entry says "mode": "descriptor" on a clear connection;
   * one under TLS comes through serve. NULL when no protocol says so. On SY_OK the plugin owns the
   * descriptor. [loop] */
  sy_status (*serve_descriptor)(
      sy_instance* instance, uint32_t protocol, const sy_descriptor* descriptor);

  /* SY_OK, or an error that says what is wrong. [control] */
  sy_status (*health)(sy_instance* instance, sy_error* error);

  /* Takes no new work, says its protocol's goodbye, ends each connection when its work is done,
   * then calls `done`, at once or later. At `deadline` (as loops.now) the host calls abort_all.
   * [control] */
  sy_status (*drain)(sy_instance* instance, uint64_t deadline, sy_drain_done done, void* context);

  /* Closes every connection now. [control] */
  void (*abort_all)(sy_instance* instance);

  /* Returns when no thread, timer or operation of the instance is left. [control] */
  sy_status (*stop)(sy_instance* instance, sy_error* error);

  /* Frees the instance. [control] */
  void (*destroy)(sy_instance* instance);

  /* The table of a provided interface (manifest "provides") at this major, or NULL. NULL when the
   * plugin provides none. [control] */
  const void* (*query)(sy_instance* instance, const char* interface_id);

  /* Answers what is in flight, takes no new work, and leaves everything alone that another instance
   * takes over, after having written to `state` what that goes on from. Then it is as after start:
   * activate, take_over or stop comes next. On failure it goes on as before. NULL unless the
   * manifest says "exclusive". [control] */
  sy_status (*quiesce)(sy_instance* instance, const sy_state_sink* state, sy_error* error);

  /* In the place of activate: goes on from what another instance has written, and proves that it
   * can. On failure it has changed nothing of it. NULL unless the manifest says "exclusive".
   * [control] */
  sy_status (*take_over)(sy_instance* instance, const sy_state* state, sy_error* error);
} sy_plugin;

#define SY_PLUGIN_SYMBOL "switchyard_plugin_v0"

#if defined(_MSC_VER)
#error "switchyard plugins are ELF shared objects"
#endif

/* Marks the one exported symbol:  SY_EXPORT const sy_plugin switchyard_plugin_v0 = { … }; */
#ifdef __cplusplus
#define SY_EXPORT extern "C" __attribute__((visibility("default")))
#else
#define SY_EXPORT __attribute__((visibility("default")))
#endif

#define SY_NOTE_SECTION ".note.switchyard"
#define SY_NOTE_NAME "switchyard"
#define SY_NOTE_TYPE 1u

/* Puts the manifest, a string literal of JSON, where the host reads it without running code. Once
 * per plugin, at file scope. switchyard_add_plugin() in CMake makes the literal SY_MANIFEST_JSON
 * out of manifest.json. */
#define SY_MANIFEST_NOTE(json)                                                                     \
  static const struct {                                                                            \
    uint32_t name_size;                                                                            \
    uint32_t text_size;                                                                            \
    uint32_t type;                                                                                 \
    char name[12];                                                                                 \
    char text[sizeof(json)];                                                                       \
  } sy_manifest_note __attribute__((used, aligned(4), section(SY_NOTE_SECTION))) = {               \
      sizeof(SY_NOTE_NAME), sizeof(json), SY_NOTE_TYPE, SY_NOTE_NAME, json}

#ifdef __cplusplus
} /* extern "C" */
#endif

// The plugin raft as it is, but for what is wrong with a version of it; each fault is a macro.
#include <plugins/raft/instance.hpp>

#include <switchyard_manifest.h>
#include <unistd.h>

namespace switchyard::raft {
namespace {

[[maybe_unused]] sy_status fail(sy_error* error, const char* text) {
  error->code = SY_INTERNAL;
  std::snprintf(error->text, sizeof error->text, "%s", text);
  return SY_INTERNAL;
}

constexpr sy_plugin version() {
  auto plugin = Plugin<Instance>::describe(SY_MANIFEST_ID, SY_MANIFEST_VERSION, SY_MANIFEST_JSON);
#if defined(CRASH_IN_PROBE)
  plugin.check_config = [](sy_string, sy_error*) -> sy_status { __builtin_trap(); };
#endif
#if defined(REFUSES)
  plugin.take_over = [](sy_instance*, const sy_state*, sy_error* error) {
    return fail(error, "it does not like it");
  };
#endif
#if defined(HANGS)
  plugin.take_over = [](sy_instance*, const sy_state*, sy_error*) -> sy_status {
    for (;;)
      ::pause();
  };
#endif
#if defined(UNWELL)
  plugin.health = [](sy_instance*, sy_error* error) { return fail(error, "it is not well"); };
#endif
#if defined(GIVES_NOTHING_BACK)
  plugin.quiesce = [](sy_instance*, const sy_state_sink*, sy_error* error) {
    return fail(error, "it keeps what it has");
  };
#endif
  return plugin;
}

} // namespace
} // namespace switchyard::raft

SY_MANIFEST_NOTE(SY_MANIFEST_JSON);
SY_EXPORT constinit const sy_plugin switchyard_plugin_v0 = switchyard::raft::version();

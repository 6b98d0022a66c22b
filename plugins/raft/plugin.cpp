#include <plugins/raft/consensus.hpp>
#include <plugins/raft/instance.hpp>

#include <cstring>
#include <switchyard_manifest.h>

SY_MANIFEST_NOTE(SY_MANIFEST_JSON);

namespace {

using namespace switchyard;

sy_status check_config(sy_string config, sy_error* error) {
  return at_boundary(error, [&] { static_cast<void>(raft::parse_config(view(config))); });
}

sy_status init(const sy_host* host, sy_string config, sy_instance** made, sy_error* error) {
  return at_boundary(error, [&] { *made = new sy_instance{host, view(config)}; });
}

sy_status start(sy_instance*, sy_error*) {
  return SY_OK;
}

sy_status activate(sy_instance* self, sy_error* error) {
  return at_boundary(error, [&] { self->activate(); });
}

sy_status serve(sy_instance* self, uint32_t, sy_connection* connection) {
  return at_boundary([&] { return self->serve(connection); });
}

sy_status health(sy_instance* self, sy_error* error) {
  return at_boundary(error, [&] { self->node().health(); });
}

sy_status drain(sy_instance* self, uint64_t, sy_drain_done done, void* context) {
  return at_boundary([&] { self->drain(done, context); });
}

void abort_all(sy_instance* self) {
  self->abort_all();
}

sy_status stop(sy_instance* self, sy_error* error) {
  return at_boundary(error, [&] { self->stop(); });
}

void destroy(sy_instance* self) {
  delete self;
}

const void* query(sy_instance*, const char* id) {
  return std::strcmp(id, SY_RAFT_CONSENSUS) == 0 ? &raft::consensus_table() : nullptr;
}

} // namespace

SY_EXPORT const sy_plugin switchyard_plugin_v0 = {
    .magic = SY_PLUGIN_MAGIC,
    .struct_size = sizeof(sy_plugin),
    .abi_major = SY_ABI_MAJOR,
    .abi_minor = SY_ABI_MINOR,
    .flags = 0,
    .id = SY_MANIFEST_ID,
    .version = SY_MANIFEST_VERSION,
    .manifest = SY_MANIFEST_JSON,
    .check_config = check_config,
    .init = init,
    .start = start,
    .activate = activate,
    .serve = serve,
    .serve_descriptor = nullptr,
    .health = health,
    .drain = drain,
    .abort_all = abort_all,
    .stop = stop,
    .destroy = destroy,
    .query = query,
    .quiesce = nullptr,
    .take_over = nullptr};

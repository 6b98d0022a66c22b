#include <switchyard/boundary.hpp>
#include <switchyard/bytes.hpp>
#include <switchyard/plugin.h>

#include <plugins/grpc/instance.hpp>

#include <cstring>
#include <span>
#include <switchyard_manifest.h>

SY_MANIFEST_NOTE(SY_MANIFEST_JSON);

namespace {

using namespace switchyard;

sy_instance& instance(void* provider) {
  return *static_cast<sy_instance*>(provider);
}

void check_size(const void* entry, std::size_t size) {
  if (size < sizeof(sy_grpc_service) ||
      static_cast<const sy_grpc_service*>(entry)->struct_size < sizeof(sy_grpc_service)) {
    throw Failure{SY_INVALID, "the entry is no sy_grpc_service of this ABI"};
  }
}

sy_status bind(
    void* provider,
    sy_registration* registration,
    sy_string key,
    const void* entry,
    size_t entry_size,
    sy_error* error) {
  return at_boundary(error, [&] {
    check_size(entry, entry_size);
    instance(provider).bind(view(key), *static_cast<const sy_grpc_service*>(entry), registration);
  });
}

void unbind(void* provider, sy_registration* registration) {
  instance(provider).unbind(registration);
}

sy_status exchange(
    void* provider,
    sy_registration* const* gone,
    std::size_t gone_count,
    const sy_binding* come,
    std::size_t come_count,
    sy_error* error) {
  return at_boundary(error, [&] {
    const std::span added{come, come_count};
    for (const auto& binding : added)
      check_size(binding.entry, binding.entry_size);
    instance(provider).exchange({gone, gone_count}, added);
  });
}

void end_soon(void* provider, sy_registration* registration, std::uint32_t all) {
  instance(provider).end_soon(registration, all != 0);
}

constexpr sy_grpc_services kServices = {
    .registrar = {
        .struct_size = sizeof(sy_grpc_services),
        .reserved = 0,
        .bind = bind,
        .unbind = unbind,
        .exchange = exchange,
        .end_soon = end_soon}};

sy_status open(
    void* provider,
    const sy_grpc_channel_options* options,
    sy_grpc_channel** channel,
    sy_error* error) {
  return at_boundary(error, [&] { *channel = instance(provider).client().open(*options); });
}

void close(void* provider, sy_grpc_channel* channel) {
  instance(provider).client().close(channel);
}

sy_status call(
    void* provider,
    sy_grpc_channel* channel,
    const sy_grpc_request* request,
    const sy_grpc_events* events,
    void* context,
    sy_grpc_stream** stream) {
  if (!SY_HAS(request, sy_grpc_request, timeout) || !SY_HAS(events, sy_grpc_events, ended)) {
    return SY_INVALID;
  }
  return at_boundary([&] {
    return instance(provider).client().call(channel, *request, *events, context, stream);
  });
}

sy_status unary(
    void* provider,
    sy_grpc_channel* channel,
    const sy_grpc_request* request,
    sy_grpc_answered answered,
    void* context) {
  if (!SY_HAS(request, sy_grpc_request, timeout) || request->kind != SY_GRPC_UNARY) {
    return SY_INVALID;
  }
  return at_boundary(
      [&] { return instance(provider).client().unary(channel, *request, answered, context); });
}

constexpr sy_grpc_client kClient = {
    .struct_size = sizeof(sy_grpc_client),
    .reserved = 0,
    .open = open,
    .close = close,
    .call = call,
    .unary = unary};

sy_status check_config(sy_string config, sy_error* error) {
  return at_boundary(error, [&] { static_cast<void>(grpc::parse_config(view(config))); });
}

sy_status init(const sy_host* host, sy_string config, sy_instance** made, sy_error* error) {
  return at_boundary(error, [&] { *made = new sy_instance{host, view(config)}; });
}

sy_status start(sy_instance* self, sy_error* error) {
  return at_boundary(error, [&] { self->start(); });
}

sy_status activate(sy_instance*, sy_error*) {
  return SY_OK;
}

sy_status serve(sy_instance* self, uint32_t protocol, sy_connection* connection) {
  return at_boundary([&] { return self->serve(protocol, connection); });
}

sy_status health(sy_instance*, sy_error*) {
  return SY_OK;
}

sy_status drain(sy_instance* self, uint64_t deadline, sy_drain_done done, void* context) {
  return at_boundary([&] { self->drain(deadline, done, context); });
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
  if (std::strcmp(id, SY_GRPC_SERVICES) == 0) return &kServices;
  if (std::strcmp(id, SY_GRPC_CLIENT) == 0) return &kClient;
  return nullptr;
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

#include <switchyard/boundary.hpp>
#include <switchyard/plugin.h>

#include <plugins/netrpc/instance.hpp>

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
  if (size < sizeof(sy_netrpc_endpoint) ||
      static_cast<const sy_netrpc_endpoint*>(entry)->struct_size < sizeof(sy_netrpc_endpoint)) {
    throw Failure{SY_INVALID, "the entry is no sy_netrpc_endpoint of this ABI"};
  }
}

void throw_unless_taken(sy_status status) {
  if (status == SY_EXISTS) throw Failure{status, "another endpoint has this name"};
  if (status != SY_OK)
    throw Failure{status, "an endpoint is named Service.Method and has a call function"};
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
    throw_unless_taken(instance(provider).endpoints.add(
        view(key), *static_cast<const sy_netrpc_endpoint*>(entry), registration));
  });
}

void unbind(void* provider, sy_registration* registration) {
  instance(provider).endpoints.remove(registration);
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
    throw_unless_taken(instance(provider).endpoints.exchange({gone, gone_count}, added));
  });
}

// An endpoint that answers at once does so, told or not.
void end_soon(void* provider, sy_registration* registration, std::uint32_t) {
  instance(provider).end_soon(registration);
}

sy_status
invoke(void* provider, sy_string method, sy_bytes body, sy_netrpc_done done, void* context) {
  return at_boundary([&] {
    auto& self = instance(provider);
    return self.local_calls.invoke(self.endpoints, view(method), body, done, context);
  });
}

constexpr sy_netrpc_endpoints kEndpoints = {
    .registrar =
        {.struct_size = sizeof(sy_netrpc_endpoints),
         .reserved = 0,
         .bind = bind,
         .unbind = unbind,
         .exchange = exchange,
         .end_soon = end_soon},
    .invoke = invoke};

sy_status call(
    void* provider,
    const sy_netrpc_request* request,
    sy_netrpc_done done,
    void* context,
    sy_netrpc_invocation** invocation) {
  if (!SY_HAS(request, sy_netrpc_request, timeout)) return SY_INVALID;
  return at_boundary([&] { return instance(provider).call(*request, done, context, invocation); });
}

// A call of the generation before ends with that one's drain.
void cancel(void* provider, sy_netrpc_invocation* invocation) {
  if (invocation->provider == provider) invocation->cancel();
}

constexpr sy_netrpc_client kClient = {
    .struct_size = sizeof(sy_netrpc_client), .reserved = 0, .call = call, .cancel = cancel};

sy_status check_config(sy_string config, sy_error* error) {
  return at_boundary(error, [&] { static_cast<void>(netrpc::parse_config(view(config))); });
}

sy_status init(const sy_host* host, sy_string config, sy_instance** made, sy_error* error) {
  return at_boundary(error, [&] { *made = new sy_instance{host, view(config)}; });
}

sy_status start(sy_instance*, sy_error*) {
  return SY_OK;
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
  if (std::strcmp(id, SY_NETRPC_ENDPOINTS) == 0) return &kEndpoints;
  if (std::strcmp(id, SY_NETRPC_CLIENT) == 0) return &kClient;
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

#include <switchyard/registrar.hpp>

#include <plugins/netrpc/instance.hpp>

#include <switchyard_manifest.h>

namespace switchyard::netrpc {
namespace {

Instance& instance(void* provider) {
  return Plugin<Instance>::of(provider);
}

sy_status
invoke(void* provider, sy_string method, sy_bytes body, sy_netrpc_done done, void* context) {
  return at_boundary([&] { return instance(provider).invoke(view(method), body, done, context); });
}

constexpr sy_netrpc_endpoints kEndpoints = {
    .registrar = Registrar<Instance>::describe(sizeof(sy_netrpc_endpoints)), .invoke = invoke};

sy_status call(
    void* provider,
    const sy_netrpc_request* request,
    sy_netrpc_done done,
    void* context,
    sy_netrpc_invocation** invocation) {
  if (!SY_HAS(request, sy_netrpc_request, timeout)) return SY_INVALID;
  return at_boundary([&] { return instance(provider).call(*request, done, context, invocation); });
}

void cancel(void* provider, sy_netrpc_invocation* invocation) {
  logged_at_boundary(
      Plugin<Instance>::host_of(provider), [&] { instance(provider).cancel(*invocation); });
}

constexpr sy_netrpc_client kClient = {
    .struct_size = sizeof(sy_netrpc_client), .reserved = 0, .call = call, .cancel = cancel};

} // namespace

const void* Instance::query(std::string_view id) {
  if (id == SY_NETRPC_ENDPOINTS) return &kEndpoints;
  if (id == SY_NETRPC_CLIENT) return &kClient;
  return nullptr;
}

} // namespace switchyard::netrpc

SY_CPP_PLUGIN(switchyard::netrpc::Instance);

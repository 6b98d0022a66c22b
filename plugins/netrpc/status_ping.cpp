#include <switchyard/bytes.hpp>

#include <plugins/netrpc/status_ping.hpp>
#include <proto/netrpc/error_text.hpp>

#include <array>

namespace switchyard::netrpc {
namespace {

constexpr std::array kEmptyMap{std::byte{0x80}};

void ping(void*, sy_netrpc_call* call, sy_bytes body) {
  if (const auto wrong = no_structure(view(body))) return call->api->reject(call, to_c(*wrong));
  call->api->reply(call, to_c(std::span<const std::byte>{kEmptyMap}));
}

} // namespace

sy_netrpc_endpoint status_ping() noexcept {
  return {
      .struct_size = sizeof(sy_netrpc_endpoint),
      .flags = 0,
      .context = nullptr,
      .call = &ping,
      .cancel = nullptr};
}

} // namespace switchyard::netrpc

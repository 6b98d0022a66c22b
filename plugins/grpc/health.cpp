#include <switchyard/bytes.hpp>

#include <plugins/grpc/health.hpp>

#include <grpc/health/v1/health.pb.h>

#include <array>
#include <grpc_health_v1_health.descriptors.h>
#include <limits>
#include <optional>
#include <utility>

namespace switchyard::grpc {

using ::grpc::health::v1::HealthCheckRequest;
using ::grpc::health::v1::HealthCheckResponse;

namespace {

std::optional<std::string> service_in(sy_bytes message) {
  HealthCheckRequest request;
  if (message.size > std::numeric_limits<int>::max() ||
      !request.ParseFromArray(message.data, static_cast<int>(message.size))) {
    return std::nullopt;
  }
  return std::move(*request.mutable_service());
}

std::string response(int state) {
  HealthCheckResponse made;
  made.set_status(static_cast<HealthCheckResponse::ServingStatus>(state));
  return made.SerializeAsString();
}

std::uint32_t where_of(sy_grpc_call* call) {
  sy_grpc_call_info info{};
  info.struct_size = sizeof info;
  call->api->describe(call, &info);
  return info.external != 0 ? SY_GRPC_ON_EXTERNAL : SY_GRPC_ON_INTERNAL;
}

void finish(sy_grpc_call* call, sy_grpc_code code, std::string_view text, sy_bytes message = {}) {
  const sy_grpc_status status{sizeof status, code, to_c(text), {}};
  call->api->finish(call, &status, message, {});
}

constexpr std::string_view kNotDecoded = "the request cannot be decoded";

} // namespace

int Health::state_of(std::string_view service, std::uint32_t where) const {
  const auto serving = draining_ ? HealthCheckResponse::NOT_SERVING : HealthCheckResponse::SERVING;
  if (service.empty()) return serving;
  switch (services_.presence(service, where)) {
  case Presence::None: return HealthCheckResponse::SERVICE_UNKNOWN;
  case Presence::Leaving: return HealthCheckResponse::NOT_SERVING;
  case Presence::Here: return serving;
  }
  return HealthCheckResponse::UNKNOWN;
}

void Health::check(void* context, sy_grpc_call* call, sy_bytes message) {
  auto& self = *static_cast<Health*>(context);
  const auto service = service_in(message);
  if (!service) return finish(call, SY_GRPC_INTERNAL, kNotDecoded);
  int state = 0;
  {
    const std::lock_guard lock{self.mutex_};
    state = self.state_of(*service, where_of(call));
  }
  if (state == HealthCheckResponse::SERVICE_UNKNOWN) {
    return finish(call, SY_GRPC_NOT_FOUND, "unknown service " + *service);
  }
  const auto answer = response(state);
  finish(call, SY_GRPC_OK, {}, {answer.data(), answer.size()});
}

void Health::watch(void* context, sy_grpc_call* call, sy_bytes message) {
  auto& self = *static_cast<Health*>(context);
  auto service = service_in(message);
  if (!service) return finish(call, SY_GRPC_INTERNAL, kNotDecoded);
  const auto where = where_of(call);
  const std::lock_guard lock{self.mutex_};
  auto& watch = self.watches_.emplace_back(Watch{self, call, where, std::move(*service)});
  watch.place = std::prev(self.watches_.end());
  call->user = &watch;
  self.tell(watch);
}

/// Sends the state when it is another than the client knows.
void Health::tell(Watch& watch) {
  if (watch.sending || watch.finished) return;
  const auto state = state_of(watch.service, watch.where);
  if (state == watch.told) return;
  const auto message = response(state);
  const sy_bytes bytes{message.data(), message.size()};
  // A call that is over is finished by its cancel.
  if (watch.call->api->send(watch.call, bytes, &Health::sent, &watch) != SY_OK) return;
  watch.told = state;
  watch.sending = true;
}

void Health::sent(void* context, sy_status status) {
  auto& watch = *static_cast<Watch*>(context);
  const std::lock_guard lock{watch.owner.mutex_};
  watch.sending = false;
  if (status == SY_OK) watch.owner.tell(watch); // what has changed meanwhile
}

void Health::cancel(void* context, sy_grpc_call* call) {
  if (call->user == nullptr) return;
  {
    const std::lock_guard lock{static_cast<Health*>(context)->mutex_};
    static_cast<Watch*>(call->user)->finished = true;
  }
  finish(call, SY_GRPC_UNAVAILABLE, "the server is going away");
}

void Health::ended(void* context, sy_grpc_call* call) {
  if (call->user == nullptr) return;
  auto& self = *static_cast<Health*>(context);
  const std::lock_guard lock{self.mutex_};
  self.watches_.erase(static_cast<Watch*>(call->user)->place);
}

void Health::changed() {
  const std::lock_guard lock{mutex_};
  for (auto& watch : watches_)
    tell(watch);
}

void Health::drain() {
  {
    const std::lock_guard lock{mutex_};
    draining_ = true;
  }
  changed();
}

namespace {

constexpr std::string_view kCheck = "Check";
constexpr std::string_view kWatch = "Watch";

} // namespace

sy_grpc_service Health::service() noexcept {
  static constexpr sy_grpc_method kCheckMethod{
      .struct_size = sizeof(sy_grpc_method),
      .kind = SY_GRPC_UNARY,
      .name = {kCheck.data(), kCheck.size()},
      .context = nullptr,
      .call = &Health::check};
  static constexpr sy_grpc_method kWatchMethod{
      .struct_size = sizeof(sy_grpc_method),
      .kind = SY_GRPC_SERVER_STREAMING,
      .name = {kWatch.data(), kWatch.size()},
      .context = nullptr,
      .call = &Health::watch};
  static constexpr std::array kMethods{&kCheckMethod, &kWatchMethod};
  return {
      .struct_size = sizeof(sy_grpc_service),
      .flags = SY_GRPC_ON_INTERNAL | SY_GRPC_ON_EXTERNAL,
      .context = this,
      .methods = kMethods.data(),
      .method_count = kMethods.size(),
      .descriptor_set =
          {grpc_health_v1_health_descriptors, sizeof grpc_health_v1_health_descriptors},
      .cancel = &Health::cancel,
      .ended = &Health::ended};
}

} // namespace switchyard::grpc

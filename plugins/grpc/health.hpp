#pragma once

#include <switchyard/grpc/services.h>

#include <plugins/grpc/service_table.hpp>

#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>

namespace switchyard::grpc {

inline constexpr std::string_view kHealth = "grpc.health.v1.Health";

/// Tells clients whether a service takes calls: as long as it is registered and its registrant
/// stays, until the drain. Any thread. Source of the protocol: grpc/grpc, doc/health-checking.md.
class Health {
public:
  /// `services` is asked, and outlives this.
  explicit Health(const ServiceTable& services) noexcept : services_{services} {}

  Health(const Health&) = delete;
  Health& operator=(const Health&) = delete;

  /// A service came or went: tells those who watch it.
  void changed();

  /// From now on nothing takes calls. Tells everybody who watches.
  void drain();

  /// The service of the protocol, for both servers.
  [[nodiscard]] sy_grpc_service service() noexcept;

private:
  /// A call of Watch, from its begin to its end.
  struct Watch {
    Health& owner;
    sy_grpc_call* call;
    std::uint32_t where;
    std::string service;
    int told = -1; ///< the state that was sent last
    bool sending = false;
    bool finished = false;
    std::list<Watch>::iterator place{};
  };

  static void check(void* self, sy_grpc_call* call, sy_bytes message);
  static void watch(void* self, sy_grpc_call* call, sy_bytes message);
  static void sent(void* watch, sy_status status);
  static void cancel(void* self, sy_grpc_call* call);
  static void ended(void* self, sy_grpc_call* call);

  /// A HealthCheckResponse.ServingStatus; `service` is empty for the whole server.
  [[nodiscard]] int state_of(std::string_view service, std::uint32_t where) const;
  void tell(Watch& watch);

  const ServiceTable& services_;
  std::mutex mutex_;
  bool draining_ = false; ///< under mutex_, as watches_ and all that is in them
  std::list<Watch> watches_;
};

} // namespace switchyard::grpc

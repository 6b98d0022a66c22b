#pragma once

#include <plugins/grpc/health.hpp>
#include <plugins/grpc/reflection.hpp>
#include <plugins/grpc/service_table.hpp>

#include <cstdint>
#include <span>
#include <string_view>

namespace switchyard::grpc {

/// Health and reflection, and the way by which every other service gets into the table, so that
/// they know of it.
class StandardServices {
public:
  /// `table` outlives this; `reflection` says on which servers tools may ask (SY_GRPC_ON_…, or 0).
  StandardServices(ServiceTable& table, std::uint32_t reflection);

  /// As ServiceTable::add; fails for a broken descriptor set, too. [control]
  void add(std::string_view name, const sy_grpc_service& service, sy_registration* registration);

  /// As ServiceTable::remove. [control]
  void remove(sy_registration* registration);

  /// As ServiceTable::exchange; fails for a broken descriptor set, too. [control]
  void exchange(std::span<sy_registration* const> gone, std::span<const sy_binding> come);

  /// Tells who watches that nothing takes calls from now on. Any thread.
  void drain() { health_.drain(); }

private:
  ServiceTable& table_;
  Health health_;
  Reflection reflection_;
};

} // namespace switchyard::grpc

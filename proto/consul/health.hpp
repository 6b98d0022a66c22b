#pragma once

#include <proto/consul/groups.hpp>
#include <proto/consul/health_check.hpp>
#include <proto/consul/node.hpp>
#include <proto/consul/service.hpp>
#include <proto/consul/structure.hpp>
#include <proto/consul/value.hpp>

namespace switchyard::consul {

/// An instance, its node, and the checks of both.
struct CheckServiceNode {
  std::optional<Node> node;
  std::optional<NodeService> service;
  List<HealthCheck> checks;

  static Structure structure();
  friend bool operator==(const CheckServiceNode&, const CheckServiceNode&) = default;
};

struct IndexedHealthChecks : QueryMeta {
  List<HealthCheck> health_checks;

  static Structure structure();
  friend bool operator==(const IndexedHealthChecks&, const IndexedHealthChecks&) = default;
};

struct IndexedCheckServiceNodes : QueryMeta {
  List<CheckServiceNode> nodes;

  static Structure structure();
  friend bool
  operator==(const IndexedCheckServiceNodes&, const IndexedCheckServiceNodes&) = default;
};

} // namespace switchyard::consul

#pragma once

#include <proto/consul/catalog.hpp>
#include <proto/consul/groups.hpp>
#include <proto/consul/health_check.hpp>
#include <proto/consul/node.hpp>
#include <proto/consul/service.hpp>
#include <proto/consul/structure.hpp>
#include <proto/consul/value.hpp>

namespace switchyard::consul {

struct NodeInfo {
  std::string id;
  std::string node;
  std::string address;
  Map<std::string> tagged_addresses;
  Map<std::string> meta;
  List<NodeService> services;
  List<HealthCheck> checks;

  static Structure structure();
  friend bool operator==(const NodeInfo&, const NodeInfo&) = default;
};

struct ServiceInfo {
  std::optional<Node> node;
  std::optional<NodeService> service;
  List<HealthCheck> checks;
  std::optional<GatewayService> gateway_service;

  static Structure structure();
  friend bool operator==(const ServiceInfo&, const ServiceInfo&) = default;
};

struct IndexedNodeDump : QueryMeta {
  List<NodeInfo> dump;

  static Structure structure();
  friend bool operator==(const IndexedNodeDump&, const IndexedNodeDump&) = default;
};

struct IndexedServiceDump : QueryMeta {
  List<ServiceInfo> dump;

  static Structure structure();
  friend bool operator==(const IndexedServiceDump&, const IndexedServiceDump&) = default;
};

struct EventFireRequest : QueryOptions {
  std::string datacenter;
  std::string name;
  Bytes payload;

  static Structure structure();
  friend bool operator==(const EventFireRequest&, const EventFireRequest&) = default;
};

struct EventFireResponse : QueryMeta {
  static Structure structure();
  friend bool operator==(const EventFireResponse&, const EventFireResponse&) = default;
};

} // namespace switchyard::consul

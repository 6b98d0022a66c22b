#pragma once

#include <proto/consul/groups.hpp>
#include <proto/consul/health_check.hpp>
#include <proto/consul/node.hpp>
#include <proto/consul/service.hpp>
#include <proto/consul/structure.hpp>
#include <proto/consul/value.hpp>

namespace switchyard::consul {

/// Node, service and checks that are registered together or not at all.
struct RegisterRequest : WriteRequest, RaftIndex {
  std::string datacenter;
  std::string id;
  std::string node;
  std::string address;
  Map<std::string> tagged_addresses;
  Map<std::string> node_meta;
  std::optional<NodeService> service;
  std::optional<HealthCheck> check;
  List<HealthCheck> checks;
  bool skip_node_update = false; ///< leave a node alone that is there

  static Structure structure();
  friend bool operator==(const RegisterRequest&, const RegisterRequest&) = default;
};

/// Removes the service if one is named, else the check, else the node.
struct DeregisterRequest : WriteRequest {
  std::string datacenter;
  std::string node;
  std::string service_id;
  std::string check_id;

  static Structure structure();
  friend bool operator==(const DeregisterRequest&, const DeregisterRequest&) = default;
};

/// An instance with the fields of its node beside it.
struct ServiceNode : RaftIndex {
  std::string id;
  std::string node;
  std::string address;
  std::string datacenter;
  Map<std::string> tagged_addresses;
  Map<std::string> node_meta;
  std::string service_kind;
  std::string service_id;
  std::string service_name;
  List<std::string> service_tags;
  std::string service_address;
  Map<ServiceAddress> service_tagged_addresses;
  Weights service_weights;
  Map<std::string> service_meta;
  std::int64_t service_port = 0;
  bool service_enable_tag_override = false;
  ConnectProxyConfig service_proxy;
  ServiceConnect service_connect;

  static Structure structure();
  friend bool operator==(const ServiceNode&, const ServiceNode&) = default;
};

struct NodeServices {
  std::optional<Node> node;
  Map<NodeService> services;

  static Structure structure();
  friend bool operator==(const NodeServices&, const NodeServices&) = default;
};

struct NodeServiceList {
  std::optional<Node> node;
  List<NodeService> services;

  static Structure structure();
  friend bool operator==(const NodeServiceList&, const NodeServiceList&) = default;
};

struct ServiceName {
  std::string name;

  static Structure structure();
  friend bool operator==(const ServiceName&, const ServiceName&) = default;
};

struct GatewayService : RaftIndex {
  ServiceName gateway;
  ServiceName service;
  std::string gateway_kind;
  std::int64_t port = 0;
  std::string protocol;
  List<std::string> hosts;
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
  std::string sni;
  bool from_wildcard = false;

  static Structure structure();
  friend bool operator==(const GatewayService&, const GatewayService&) = default;
};

struct IndexedNodes : QueryMeta {
  List<Node> nodes;

  static Structure structure();
  friend bool operator==(const IndexedNodes&, const IndexedNodes&) = default;
};

struct IndexedServices : QueryMeta {
  Map<List<std::string>> services;

  static Structure structure();
  friend bool operator==(const IndexedServices&, const IndexedServices&) = default;
};

struct IndexedServiceList : QueryMeta {
  List<ServiceName> services;

  static Structure structure();
  friend bool operator==(const IndexedServiceList&, const IndexedServiceList&) = default;
};

struct IndexedServiceNodes : QueryMeta {
  List<ServiceNode> service_nodes;

  static Structure structure();
  friend bool operator==(const IndexedServiceNodes&, const IndexedServiceNodes&) = default;
};

struct IndexedNodeServices : QueryMeta {
  std::optional<NodeServices> node_services;

  static Structure structure();
  friend bool operator==(const IndexedNodeServices&, const IndexedNodeServices&) = default;
};

struct IndexedNodeServiceList : QueryMeta {
  NodeServiceList node_services;

  static Structure structure();
  friend bool operator==(const IndexedNodeServiceList&, const IndexedNodeServiceList&) = default;
};

struct IndexedGatewayServices : QueryMeta {
  List<GatewayService> services;

  static Structure structure();
  friend bool operator==(const IndexedGatewayServices&, const IndexedGatewayServices&) = default;
};

} // namespace switchyard::consul

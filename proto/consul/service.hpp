#pragma once

#include <proto/consul/groups.hpp>
#include <proto/consul/structure.hpp>
#include <proto/consul/value.hpp>

namespace switchyard::consul {

struct ServiceAddress {
  std::string address;
  std::int64_t port = 0;

  static Structure structure();
  friend bool operator==(const ServiceAddress&, const ServiceAddress&) = default;
};

struct Weights {
  std::int64_t passing = 0;
  std::int64_t warning = 0;

  static Structure structure();
  friend bool operator==(const Weights&, const Weights&) = default;
};

struct MeshGatewayConfig {
  std::string mode;

  static Structure structure();
  friend bool operator==(const MeshGatewayConfig&, const MeshGatewayConfig&) = default;
};

struct ExposePath {
  std::int64_t listener_port = 0;
  std::string path;
  std::int64_t local_path_port = 0;
  std::string protocol;
  bool parsed_from_check = false;

  static Structure structure();
  friend bool operator==(const ExposePath&, const ExposePath&) = default;
};

struct ExposeConfig {
  bool checks = false;
  List<ExposePath> paths;

  static Structure structure();
  friend bool operator==(const ExposeConfig&, const ExposeConfig&) = default;
};

struct Upstream {
  std::string destination_type;
  std::string destination_namespace;
  std::string destination_name;
  std::string datacenter;
  std::string local_bind_address;
  std::int64_t local_bind_port = 0;
  Map<Object> config;
  MeshGatewayConfig mesh_gateway;
  List<std::string> ingress_hosts;

  static Structure structure();
  friend bool operator==(const Upstream&, const Upstream&) = default;
};

struct ConnectProxyConfig {
  std::string destination_service_name;
  std::string destination_service_id;
  std::string local_service_address;
  std::int64_t local_service_port = 0;
  Map<Object> config;
  List<Upstream> upstreams;
  MeshGatewayConfig mesh_gateway;
  ExposeConfig expose;

  static Structure structure();
  friend bool operator==(const ConnectProxyConfig&, const ConnectProxyConfig&) = default;
};

/// Connect at an instance. A definition of its sidecar is the agent's and nil in the catalog.
struct ServiceConnect {
  bool native = false;
  Object sidecar_service;

  static Structure structure();
  friend bool operator==(const ServiceConnect&, const ServiceConnect&) = default;
};

/// An instance of a service on a node.
struct NodeService : RaftIndex {
  std::string kind;
  std::string id;      ///< unique on its node
  std::string service; ///< the name
  List<std::string> tags;
  std::string address;
  Map<ServiceAddress> tagged_addresses;
  Map<std::string> meta;
  std::int64_t port = 0;
  std::optional<Weights> weights;
  bool enable_tag_override = false; ///< the agent takes the tags from the catalog
  ConnectProxyConfig proxy;
  ServiceConnect connect;
  bool locally_registered_as_sidecar = false;

  static Structure structure();
  friend bool operator==(const NodeService&, const NodeService&) = default;
};

} // namespace switchyard::consul

#pragma once

#include <proto/consul/groups.hpp>
#include <proto/consul/structure.hpp>
#include <proto/consul/value.hpp>

#include <chrono>

namespace switchyard::consul {

struct HealthCheckDefinition {
  std::string http;
  bool tls_skip_verify = false;
  Map<List<std::string>> header;
  std::string method;
  std::string body;
  std::string tcp;
  std::chrono::nanoseconds interval{};
  std::uint64_t output_max_size = 0;
  std::chrono::nanoseconds timeout{};
  std::chrono::nanoseconds deregister_critical_service_after{};
  List<std::string> script_args;
  std::string docker_container_id;
  std::string shell;
  std::string grpc;
  bool grpc_use_tls = false;
  std::string alias_node;
  std::string alias_service;
  std::chrono::nanoseconds ttl{};

  static Structure structure();
  friend bool operator==(const HealthCheckDefinition&, const HealthCheckDefinition&) = default;
};

/// A check and its last result.
struct HealthCheck : RaftIndex {
  std::string node;
  std::string check_id; ///< unique on its node
  std::string name;
  std::string status; ///< "passing", "warning" or "critical"
  std::string notes;
  std::string output;
  std::string service_id; ///< empty: it is about the node
  std::string service_name;
  List<std::string> service_tags;
  std::string type;
  HealthCheckDefinition definition;

  static Structure structure();
  friend bool operator==(const HealthCheck&, const HealthCheck&) = default;
};

} // namespace switchyard::consul

#pragma once

#include <proto/consul/groups.hpp>
#include <proto/consul/structure.hpp>
#include <proto/consul/value.hpp>

#include <chrono>

namespace switchyard::consul {

struct ServerStats {
  std::string last_contact;
  std::uint64_t last_term = 0;
  std::uint64_t last_index = 0;

  static Structure structure();
  friend bool operator==(const ServerStats&, const ServerStats&) = default;
};

struct RaftServer {
  std::string id;
  std::string node;
  std::string address;
  bool leader = false;
  std::string protocol_version;
  bool voter = false;

  static Structure structure();
  friend bool operator==(const RaftServer&, const RaftServer&) = default;
};

struct RaftConfigurationResponse {
  List<RaftServer> servers;
  std::uint64_t index = 0;

  static Structure structure();
  friend bool
  operator==(const RaftConfigurationResponse&, const RaftConfigurationResponse&) = default;
};

struct RaftRemovePeerRequest : WriteRequest {
  std::string datacenter;
  std::string address;
  std::string id;

  static Structure structure();
  friend bool operator==(const RaftRemovePeerRequest&, const RaftRemovePeerRequest&) = default;
};

struct AutopilotConfig : RaftIndex {
  bool cleanup_dead_servers = false;
  std::chrono::nanoseconds last_contact_threshold{};
  std::uint64_t max_trailing_logs = 0;
  std::uint64_t min_quorum = 0;
  std::chrono::nanoseconds server_stabilization_time{};
  std::string redundancy_zone_tag;
  bool disable_upgrade_migration = false;
  std::string upgrade_version_tag;

  static Structure structure();
  friend bool operator==(const AutopilotConfig&, const AutopilotConfig&) = default;
};

struct AutopilotSetConfigRequest : WriteRequest {
  std::string datacenter;
  AutopilotConfig config;
  bool cas = false;

  static Structure structure();
  friend bool
  operator==(const AutopilotSetConfigRequest&, const AutopilotSetConfigRequest&) = default;
};

struct ServerHealth {
  std::string id;
  std::string name;
  std::string address;
  std::int64_t serf_status = 0;
  std::string version;
  bool leader = false;
  std::chrono::nanoseconds last_contact{};
  std::uint64_t last_term = 0;
  std::uint64_t last_index = 0;
  bool healthy = false;
  bool voter = false;
  Time stable_since;

  static Structure structure();
  friend bool operator==(const ServerHealth&, const ServerHealth&) = default;
};

struct OperatorHealthReply {
  bool healthy = false;
  std::int64_t failure_tolerance = 0;
  List<ServerHealth> servers;

  static Structure structure();
  friend bool operator==(const OperatorHealthReply&, const OperatorHealthReply&) = default;
};

} // namespace switchyard::consul

#pragma once

#include <proto/consul/groups.hpp>
#include <proto/consul/structure.hpp>
#include <proto/consul/value.hpp>

namespace switchyard::consul {

/// Where a query comes from: answers are sorted by distance from there.
struct QuerySource {
  std::string datacenter;
  std::string segment;
  std::string node;
  std::string ip;

  static Structure structure();
  friend bool operator==(const QuerySource&, const QuerySource&) = default;
};

struct DCSpecificRequest : QueryOptions {
  std::string datacenter;
  Map<std::string> node_meta_filters;
  QuerySource source;

  static Structure structure();
  friend bool operator==(const DCSpecificRequest&, const DCSpecificRequest&) = default;
};

struct NodeSpecificRequest : QueryOptions {
  std::string datacenter;
  std::string node;

  static Structure structure();
  friend bool operator==(const NodeSpecificRequest&, const NodeSpecificRequest&) = default;
};

struct ServiceSpecificRequest : QueryOptions {
  std::string datacenter;
  Map<std::string> node_meta_filters;
  std::string service_name;
  std::string service_tag; ///< before 1.3: the only tag
  List<std::string> service_tags;
  std::string service_address; ///< look up by this instead of the name
  bool tag_filter = false;     ///< look at the tags
  QuerySource source;
  bool connect = false;
  bool ingress = false;

  static Structure structure();
  friend bool operator==(const ServiceSpecificRequest&, const ServiceSpecificRequest&) = default;
};

struct ServiceDumpRequest : QueryOptions {
  std::string datacenter;
  std::string service_kind;
  bool use_service_kind = false;
  QuerySource source;

  static Structure structure();
  friend bool operator==(const ServiceDumpRequest&, const ServiceDumpRequest&) = default;
};

struct ChecksInStateRequest : QueryOptions {
  std::string datacenter;
  Map<std::string> node_meta_filters;
  std::string state;
  QuerySource source;

  static Structure structure();
  friend bool operator==(const ChecksInStateRequest&, const ChecksInStateRequest&) = default;
};

struct DatacentersRequest : QueryOptions {
  static Structure structure();
  friend bool operator==(const DatacentersRequest&, const DatacentersRequest&) = default;
};

} // namespace switchyard::consul

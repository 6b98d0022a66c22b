#pragma once

#include <proto/consul/groups.hpp>
#include <proto/consul/health.hpp>
#include <proto/consul/query.hpp>
#include <proto/consul/structure.hpp>
#include <proto/consul/value.hpp>

namespace switchyard::consul {

struct QueryDatacenterOptions {
  std::int64_t nearest_n = 0;
  List<std::string> datacenters;

  static Structure structure();
  friend bool operator==(const QueryDatacenterOptions&, const QueryDatacenterOptions&) = default;
};

struct ServiceQuery {
  std::string service;
  QueryDatacenterOptions failover;
  bool only_passing = false;
  List<std::string> ignore_check_ids;
  std::string near;
  List<std::string> tags;
  Map<std::string> node_meta;
  Map<std::string> service_meta;
  bool connect = false;

  static Structure structure();
  friend bool operator==(const ServiceQuery&, const ServiceQuery&) = default;
};

struct QueryTemplateOptions {
  std::string type;
  std::string regexp;
  bool remove_empty_tags = false;

  static Structure structure();
  friend bool operator==(const QueryTemplateOptions&, const QueryTemplateOptions&) = default;
};

struct QueryDNSOptions {
  std::string ttl;

  static Structure structure();
  friend bool operator==(const QueryDNSOptions&, const QueryDNSOptions&) = default;
};

struct PreparedQuery : RaftIndex {
  std::string id;
  std::string name;
  std::string session;
  std::string token;
  QueryTemplateOptions template_options; ///< Go's Template
  ServiceQuery service;
  QueryDNSOptions dns;

  static Structure structure();
  friend bool operator==(const PreparedQuery&, const PreparedQuery&) = default;
};

struct PreparedQueryRequest : WriteRequest {
  std::string datacenter;
  std::string op;
  std::optional<PreparedQuery> query;

  static Structure structure();
  friend bool operator==(const PreparedQueryRequest&, const PreparedQueryRequest&) = default;
};

struct PreparedQuerySpecificRequest : QueryOptions {
  std::string datacenter;
  std::string query_id;

  static Structure structure();
  friend bool
  operator==(const PreparedQuerySpecificRequest&, const PreparedQuerySpecificRequest&) = default;
};

struct PreparedQueryExecuteRequest : QueryOptions {
  std::string datacenter;
  std::string query_id_or_name;
  std::int64_t limit = 0;
  bool connect = false;
  QuerySource source;
  QuerySource agent;

  static Structure structure();
  friend bool
  operator==(const PreparedQueryExecuteRequest&, const PreparedQueryExecuteRequest&) = default;
};

struct PreparedQueryExecuteRemoteRequest : QueryOptions {
  std::string datacenter;
  PreparedQuery query;
  std::int64_t limit = 0;
  bool connect = false;

  static Structure structure();
  friend bool operator==(
      const PreparedQueryExecuteRemoteRequest&, const PreparedQueryExecuteRemoteRequest&) = default;
};

struct IndexedPreparedQueries : QueryMeta {
  List<PreparedQuery> queries;

  static Structure structure();
  friend bool operator==(const IndexedPreparedQueries&, const IndexedPreparedQueries&) = default;
};

struct PreparedQueryExecuteResponse : QueryMeta {
  std::string service;
  List<CheckServiceNode> nodes;
  QueryDNSOptions dns;
  std::string datacenter;
  std::int64_t failovers = 0;

  static Structure structure();
  friend bool
  operator==(const PreparedQueryExecuteResponse&, const PreparedQueryExecuteResponse&) = default;
};

struct PreparedQueryExplainResponse : QueryMeta {
  PreparedQuery query;

  static Structure structure();
  friend bool
  operator==(const PreparedQueryExplainResponse&, const PreparedQueryExplainResponse&) = default;
};

} // namespace switchyard::consul

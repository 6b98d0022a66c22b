#pragma once

#include <proto/consul/groups.hpp>
#include <proto/consul/health_check.hpp>
#include <proto/consul/kvs.hpp>
#include <proto/consul/node.hpp>
#include <proto/consul/service.hpp>
#include <proto/consul/session.hpp>
#include <proto/consul/structure.hpp>
#include <proto/consul/value.hpp>

namespace switchyard::consul {

struct TxnKVOp {
  std::string verb;
  DirEntry dir_ent;

  static Structure structure();
  friend bool operator==(const TxnKVOp&, const TxnKVOp&) = default;
};

struct TxnNodeOp {
  std::string verb;
  Node node;

  static Structure structure();
  friend bool operator==(const TxnNodeOp&, const TxnNodeOp&) = default;
};

struct TxnServiceOp {
  std::string verb;
  std::string node;
  NodeService service;

  static Structure structure();
  friend bool operator==(const TxnServiceOp&, const TxnServiceOp&) = default;
};

struct TxnCheckOp {
  std::string verb;
  HealthCheck check;

  static Structure structure();
  friend bool operator==(const TxnCheckOp&, const TxnCheckOp&) = default;
};

struct TxnSessionOp {
  std::string verb;
  Session session;

  static Structure structure();
  friend bool operator==(const TxnSessionOp&, const TxnSessionOp&) = default;
};

/// Exactly one of these is there. Intentions are not looked at.
struct TxnOp {
  std::optional<TxnKVOp> kv;
  Object intention;
  std::optional<TxnNodeOp> node;
  std::optional<TxnServiceOp> service;
  std::optional<TxnCheckOp> check;
  std::optional<TxnSessionOp> session;

  static Structure structure();
  friend bool operator==(const TxnOp&, const TxnOp&) = default;
};

struct TxnRequest : WriteRequest {
  std::string datacenter;
  List<TxnOp> ops;

  static Structure structure();
  friend bool operator==(const TxnRequest&, const TxnRequest&) = default;
};

struct TxnReadRequest : QueryOptions {
  std::string datacenter;
  List<TxnOp> ops;

  static Structure structure();
  friend bool operator==(const TxnReadRequest&, const TxnReadRequest&) = default;
};

struct TxnResult {
  std::optional<DirEntry> kv;
  std::optional<Node> node;
  std::optional<NodeService> service;
  std::optional<HealthCheck> check;

  static Structure structure();
  friend bool operator==(const TxnResult&, const TxnResult&) = default;
};

struct TxnError {
  std::int64_t op_index = 0;
  std::string what;

  static Structure structure();
  friend bool operator==(const TxnError&, const TxnError&) = default;
};

struct TxnResponse {
  List<TxnResult> results;
  List<TxnError> errors;

  static Structure structure();
  friend bool operator==(const TxnResponse&, const TxnResponse&) = default;
};

struct TxnReadResponse : QueryMeta {
  List<TxnResult> results;
  List<TxnError> errors;

  static Structure structure();
  friend bool operator==(const TxnReadResponse&, const TxnReadResponse&) = default;
};

} // namespace switchyard::consul

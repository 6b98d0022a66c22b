#pragma once

#include <proto/consul/groups.hpp>
#include <proto/consul/structure.hpp>
#include <proto/consul/value.hpp>

#include <chrono>

namespace switchyard::consul {

/// A check of a service that a session depends on.
struct ServiceCheck {
  std::string id;
  std::string namespace_name;

  static Structure structure();
  friend bool operator==(const ServiceCheck&, const ServiceCheck&) = default;
};

struct Session : RaftIndex {
  std::string id;
  std::string name;
  std::string node;
  /// After it was invalidated nobody gets its locks for so long.
  std::chrono::nanoseconds lock_delay{};
  std::string behavior; ///< what becomes of its keys: "release" or "delete"
  std::string ttl;      ///< a Go duration; empty: it does not expire
  List<std::string> node_checks;
  List<ServiceCheck> service_checks;
  List<std::string> checks; ///< before 1.7: node and service checks in one list

  static Structure structure();
  friend bool operator==(const Session&, const Session&) = default;
};

struct SessionRequest : WriteRequest {
  std::string datacenter;
  std::string op;
  Session session;

  static Structure structure();
  friend bool operator==(const SessionRequest&, const SessionRequest&) = default;
};

struct SessionSpecificRequest : QueryOptions {
  std::string datacenter;
  std::string session_id;
  std::string session; ///< the same id under its name before 1.7

  static Structure structure();
  friend bool operator==(const SessionSpecificRequest&, const SessionSpecificRequest&) = default;
};

struct IndexedSessions : QueryMeta {
  List<Session> sessions;

  static Structure structure();
  friend bool operator==(const IndexedSessions&, const IndexedSessions&) = default;
};

} // namespace switchyard::consul

#pragma once

#include <proto/consul/groups.hpp>
#include <proto/consul/structure.hpp>
#include <proto/consul/value.hpp>

namespace switchyard::consul {

struct SnapshotRequest {
  std::string datacenter;
  std::string token;
  bool allow_stale = false;
  std::int64_t op = 0;

  static Structure structure();
  friend bool operator==(const SnapshotRequest&, const SnapshotRequest&) = default;
};

struct SnapshotResponse : QueryMeta {
  std::string error;

  static Structure structure();
  friend bool operator==(const SnapshotResponse&, const SnapshotResponse&) = default;
};

} // namespace switchyard::consul

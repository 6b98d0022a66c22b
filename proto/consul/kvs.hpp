#pragma once

#include <proto/consul/groups.hpp>
#include <proto/consul/structure.hpp>
#include <proto/consul/value.hpp>

namespace switchyard::consul {

/// A key and what is stored under it.
struct DirEntry : RaftIndex {
  std::uint64_t lock_index = 0; ///< how often it has been acquired while it was free
  std::string key;              ///< any bytes
  std::uint64_t flags = 0;      ///< the client's own
  Bytes value;
  std::string session; ///< who holds the lock; in a request: who asks

  static Structure structure();
  friend bool operator==(const DirEntry&, const DirEntry&) = default;
};

struct KVSRequest : WriteRequest {
  std::string datacenter;
  std::string op;
  DirEntry dir_ent;

  static Structure structure();
  friend bool operator==(const KVSRequest&, const KVSRequest&) = default;
};

/// KVS.Get, KVS.List.
struct KeyRequest : QueryOptions {
  std::string datacenter;
  std::string key; ///< of KVS.List: a prefix

  static Structure structure();
  friend bool operator==(const KeyRequest&, const KeyRequest&) = default;
};

struct KeyListRequest : QueryOptions {
  std::string datacenter;
  std::string prefix;
  std::string seperator; ///< Consul's own spelling, on the wire too

  static Structure structure();
  friend bool operator==(const KeyListRequest&, const KeyListRequest&) = default;
};

struct IndexedDirEntries : QueryMeta {
  List<DirEntry> entries;

  static Structure structure();
  friend bool operator==(const IndexedDirEntries&, const IndexedDirEntries&) = default;
};

struct IndexedKeyList : QueryMeta {
  List<std::string> keys;

  static Structure structure();
  friend bool operator==(const IndexedKeyList&, const IndexedKeyList&) = default;
};

} // namespace switchyard::consul

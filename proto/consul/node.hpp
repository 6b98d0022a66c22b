#pragma once

#include <proto/consul/groups.hpp>
#include <proto/consul/structure.hpp>
#include <proto/consul/value.hpp>

namespace switchyard::consul {

/// A member of the datacenter.
struct Node : RaftIndex {
  std::string id; ///< a UUID, or empty
  std::string node;
  std::string address;
  std::string datacenter;
  Map<std::string> tagged_addresses;
  Map<std::string> meta;

  static Structure structure();
  friend bool operator==(const Node&, const Node&) = default;
};

} // namespace switchyard::consul

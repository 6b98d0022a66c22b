#include <proto/consul/group_keys.hpp>
#include <proto/consul/node.hpp>

namespace switchyard::consul {

Structure Node::structure() {
  using S = Node;
  static constexpr auto kFields = fields(
      std::array{
          field<S, &S::id>("ID"),
          field<S, &S::node>("Node"),
          field<S, &S::address>("Address"),
          field<S, &S::datacenter>("Datacenter"),
          field<S, &S::tagged_addresses>("TaggedAddresses"),
          field<S, &S::meta>("Meta")},
      kRaftIndex<S>);
  return kFields;
}

} // namespace switchyard::consul

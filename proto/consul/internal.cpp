#include <proto/consul/group_keys.hpp>
#include <proto/consul/internal.hpp>

namespace switchyard::consul {

Structure NodeInfo::structure() {
  using S = NodeInfo;
  static constexpr auto kFields = fields(std::array{
      field<S, &S::id>("ID"),
      field<S, &S::node>("Node"),
      field<S, &S::address>("Address"),
      field<S, &S::tagged_addresses>("TaggedAddresses"),
      field<S, &S::meta>("Meta"),
      field<S, &S::services>("Services"),
      field<S, &S::checks>("Checks")});
  return kFields;
}

Structure ServiceInfo::structure() {
  using S = ServiceInfo;
  static constexpr auto kFields = fields(std::array{
      field<S, &S::node>("Node"),
      field<S, &S::service>("Service"),
      field<S, &S::checks>("Checks"),
      field<S, &S::gateway_service>("GatewayService")});
  return kFields;
}

Structure IndexedNodeDump::structure() {
  using S = IndexedNodeDump;
  static constexpr auto kFields = fields(std::array{field<S, &S::dump>("Dump")}, kQueryMeta<S>);
  return kFields;
}

Structure IndexedServiceDump::structure() {
  using S = IndexedServiceDump;
  static constexpr auto kFields = fields(std::array{field<S, &S::dump>("Dump")}, kQueryMeta<S>);
  return kFields;
}

Structure EventFireRequest::structure() {
  using S = EventFireRequest;
  static constexpr auto kFields = fields(
      std::array{
          field<S, &S::datacenter>("Datacenter"),
          field<S, &S::name>("Name"),
          field<S, &S::payload>("Payload")},
      kQueryOptions<S>);
  return kFields;
}

Structure EventFireResponse::structure() {
  using S = EventFireResponse;
  static constexpr auto kFields = fields(kQueryMeta<S>);
  return kFields;
}

} // namespace switchyard::consul

#include <proto/consul/catalog.hpp>
#include <proto/consul/group_keys.hpp>

namespace switchyard::consul {

Structure RegisterRequest::structure() {
  using S = RegisterRequest;
  static constexpr auto kFields = fields(
      std::array{
          field<S, &S::datacenter>("Datacenter"),
          field<S, &S::id>("ID"),
          field<S, &S::node>("Node"),
          field<S, &S::address>("Address"),
          field<S, &S::tagged_addresses>("TaggedAddresses"),
          field<S, &S::node_meta>("NodeMeta"),
          field<S, &S::service>("Service"),
          field<S, &S::check>("Check"),
          field<S, &S::checks>("Checks"),
          field<S, &S::skip_node_update>("SkipNodeUpdate")},
      kWriteRequest<S>,
      kRaftIndex<S>);
  return kFields;
}

Structure DeregisterRequest::structure() {
  using S = DeregisterRequest;
  static constexpr auto kFields = fields(
      std::array{
          field<S, &S::datacenter>("Datacenter"),
          field<S, &S::node>("Node"),
          field<S, &S::service_id>("ServiceID"),
          field<S, &S::check_id>("CheckID")},
      kWriteRequest<S>);
  return kFields;
}

Structure ServiceNode::structure() {
  using S = ServiceNode;
  static constexpr auto kFields = fields(
      std::array{
          field<S, &S::id>("ID"),
          field<S, &S::node>("Node"),
          field<S, &S::address>("Address"),
          field<S, &S::datacenter>("Datacenter"),
          field<S, &S::tagged_addresses>("TaggedAddresses"),
          field<S, &S::node_meta>("NodeMeta"),
          field<S, &S::service_kind>("ServiceKind"),
          field<S, &S::service_id>("ServiceID"),
          field<S, &S::service_name>("ServiceName"),
          field<S, &S::service_tags>("ServiceTags"),
          field<S, &S::service_address>("ServiceAddress"),
          field<S, &S::service_tagged_addresses>("ServiceTaggedAddresses"),
          field<S, &S::service_weights>("ServiceWeights"),
          field<S, &S::service_meta>("ServiceMeta"),
          field<S, &S::service_port>("ServicePort"),
          field<S, &S::service_enable_tag_override>("ServiceEnableTagOverride"),
          field<S, &S::service_proxy>("ServiceProxy"),
          field<S, &S::service_connect>("ServiceConnect")},
      kRaftIndex<S>);
  return kFields;
}

Structure NodeServices::structure() {
  using S = NodeServices;
  static constexpr auto kFields =
      fields(std::array{field<S, &S::node>("Node"), field<S, &S::services>("Services")});
  return kFields;
}

Structure NodeServiceList::structure() {
  using S = NodeServiceList;
  static constexpr auto kFields =
      fields(std::array{field<S, &S::node>("Node"), field<S, &S::services>("Services")});
  return kFields;
}

Structure ServiceName::structure() {
  using S = ServiceName;
  static constexpr auto kFields = fields(std::array{field<S, &S::name>("Name")});
  return kFields;
}

Structure GatewayService::structure() {
  using S = GatewayService;
  static constexpr auto kFields = fields(
      std::array{
          field<S, &S::gateway>("Gateway"),
          field<S, &S::service>("Service"),
          field<S, &S::gateway_kind>("GatewayKind"),
          field<S, &S::port>("Port"),
          field<S, &S::protocol>("Protocol"),
          field<S, &S::hosts>("Hosts"),
          field<S, &S::ca_file>("CAFile"),
          field<S, &S::cert_file>("CertFile"),
          field<S, &S::key_file>("KeyFile"),
          field<S, &S::sni>("SNI"),
          field<S, &S::from_wildcard>("FromWildcard")},
      kRaftIndex<S>);
  return kFields;
}

Structure IndexedNodes::structure() {
  using S = IndexedNodes;
  static constexpr auto kFields = fields(std::array{field<S, &S::nodes>("Nodes")}, kQueryMeta<S>);
  return kFields;
}

Structure IndexedServices::structure() {
  using S = IndexedServices;
  static constexpr auto kFields =
      fields(std::array{field<S, &S::services>("Services")}, kQueryMeta<S>);
  return kFields;
}

Structure IndexedServiceList::structure() {
  using S = IndexedServiceList;
  static constexpr auto kFields =
      fields(std::array{field<S, &S::services>("Services")}, kQueryMeta<S>);
  return kFields;
}

Structure IndexedServiceNodes::structure() {
  using S = IndexedServiceNodes;
  static constexpr auto kFields =
      fields(std::array{field<S, &S::service_nodes>("ServiceNodes")}, kQueryMeta<S>);
  return kFields;
}

Structure IndexedNodeServices::structure() {
  using S = IndexedNodeServices;
  static constexpr auto kFields =
      fields(std::array{field<S, &S::node_services>("NodeServices")}, kQueryMeta<S>);
  return kFields;
}

Structure IndexedNodeServiceList::structure() {
  using S = IndexedNodeServiceList;
  static constexpr auto kFields =
      fields(std::array{field<S, &S::node_services>("NodeServices")}, kQueryMeta<S>);
  return kFields;
}

Structure IndexedGatewayServices::structure() {
  using S = IndexedGatewayServices;
  static constexpr auto kFields =
      fields(std::array{field<S, &S::services>("Services")}, kQueryMeta<S>);
  return kFields;
}

} // namespace switchyard::consul

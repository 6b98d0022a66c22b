#include <proto/consul/group_keys.hpp>
#include <proto/consul/service.hpp>

namespace switchyard::consul {

Structure ServiceAddress::structure() {
  using S = ServiceAddress;
  static constexpr auto kFields =
      fields(std::array{field<S, &S::address>("Address"), field<S, &S::port>("Port")});
  return kFields;
}

Structure Weights::structure() {
  using S = Weights;
  static constexpr auto kFields =
      fields(std::array{field<S, &S::passing>("Passing"), field<S, &S::warning>("Warning")});
  return kFields;
}

Structure MeshGatewayConfig::structure() {
  using S = MeshGatewayConfig;
  static constexpr auto kFields = fields(std::array{field<S, &S::mode>("Mode")});
  return kFields;
}

Structure ExposePath::structure() {
  using S = ExposePath;
  static constexpr auto kFields = fields(std::array{
      field<S, &S::listener_port>("ListenerPort"),
      field<S, &S::path>("Path"),
      field<S, &S::local_path_port>("LocalPathPort"),
      field<S, &S::protocol>("Protocol"),
      field<S, &S::parsed_from_check>("ParsedFromCheck")});
  return kFields;
}

Structure ExposeConfig::structure() {
  using S = ExposeConfig;
  static constexpr auto kFields =
      fields(std::array{field<S, &S::checks>("Checks"), field<S, &S::paths>("Paths")});
  return kFields;
}

Structure Upstream::structure() {
  using S = Upstream;
  static constexpr auto kFields = fields(std::array{
      field<S, &S::destination_type>("DestinationType"),
      field<S, &S::destination_namespace>("DestinationNamespace"),
      field<S, &S::destination_name>("DestinationName"),
      field<S, &S::datacenter>("Datacenter"),
      field<S, &S::local_bind_address>("LocalBindAddress"),
      field<S, &S::local_bind_port>("LocalBindPort"),
      unsearched(field<S, &S::config>("Config")),
      field<S, &S::mesh_gateway>("MeshGateway"),
      unsearched(field<S, &S::ingress_hosts>("IngressHosts"))});
  return kFields;
}

Structure ConnectProxyConfig::structure() {
  using S = ConnectProxyConfig;
  static constexpr auto kFields = fields(std::array{
      field<S, &S::destination_service_name>("DestinationServiceName"),
      field<S, &S::destination_service_id>("DestinationServiceID"),
      field<S, &S::local_service_address>("LocalServiceAddress"),
      field<S, &S::local_service_port>("LocalServicePort"),
      unsearched(field<S, &S::config>("Config")),
      field<S, &S::upstreams>("Upstreams"),
      field<S, &S::mesh_gateway>("MeshGateway"),
      field<S, &S::expose>("Expose")});
  return kFields;
}

Structure ServiceConnect::structure() {
  using S = ServiceConnect;
  static constexpr auto kFields = fields(
      std::array{field<S, &S::native>("Native"), field<S, &S::sidecar_service>("SidecarService")});
  return kFields;
}

Structure NodeService::structure() {
  using S = NodeService;
  static constexpr auto kFields = fields(
      std::array{
          field<S, &S::kind>("Kind"),
          field<S, &S::id>("ID"),
          field<S, &S::service>("Service"),
          field<S, &S::tags>("Tags"),
          field<S, &S::address>("Address"),
          field<S, &S::tagged_addresses>("TaggedAddresses"),
          field<S, &S::meta>("Meta"),
          field<S, &S::port>("Port"),
          field<S, &S::weights>("Weights"),
          field<S, &S::enable_tag_override>("EnableTagOverride"),
          field<S, &S::proxy>("Proxy"),
          field<S, &S::connect>("Connect"),
          unsearched(field<S, &S::locally_registered_as_sidecar>("LocallyRegisteredAsSidecar"))},
      kRaftIndex<S>);
  return kFields;
}

} // namespace switchyard::consul

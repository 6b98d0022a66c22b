#include <proto/consul/group_keys.hpp>
#include <proto/consul/query.hpp>

namespace switchyard::consul {

Structure QuerySource::structure() {
  using S = QuerySource;
  static constexpr auto kFields = fields(std::array{
      field<S, &S::datacenter>("Datacenter"),
      field<S, &S::segment>("Segment"),
      field<S, &S::node>("Node"),
      field<S, &S::ip>("Ip")});
  return kFields;
}

Structure DCSpecificRequest::structure() {
  using S = DCSpecificRequest;
  static constexpr auto kFields = fields(
      std::array{
          field<S, &S::datacenter>("Datacenter"),
          field<S, &S::node_meta_filters>("NodeMetaFilters"),
          field<S, &S::source>("Source")},
      kQueryOptions<S>);
  return kFields;
}

Structure NodeSpecificRequest::structure() {
  using S = NodeSpecificRequest;
  static constexpr auto kFields = fields(
      std::array{field<S, &S::datacenter>("Datacenter"), field<S, &S::node>("Node")},
      kQueryOptions<S>);
  return kFields;
}

Structure ServiceSpecificRequest::structure() {
  using S = ServiceSpecificRequest;
  static constexpr auto kFields = fields(
      std::array{
          field<S, &S::datacenter>("Datacenter"),
          field<S, &S::node_meta_filters>("NodeMetaFilters"),
          field<S, &S::service_name>("ServiceName"),
          field<S, &S::service_tag>("ServiceTag"),
          field<S, &S::service_tags>("ServiceTags"),
          field<S, &S::service_address>("ServiceAddress"),
          field<S, &S::tag_filter>("TagFilter"),
          field<S, &S::source>("Source"),
          field<S, &S::connect>("Connect"),
          field<S, &S::ingress>("Ingress")},
      kQueryOptions<S>);
  return kFields;
}

Structure ServiceDumpRequest::structure() {
  using S = ServiceDumpRequest;
  static constexpr auto kFields = fields(
      std::array{
          field<S, &S::datacenter>("Datacenter"),
          field<S, &S::service_kind>("ServiceKind"),
          field<S, &S::use_service_kind>("UseServiceKind"),
          field<S, &S::source>("Source")},
      kQueryOptions<S>);
  return kFields;
}

Structure ChecksInStateRequest::structure() {
  using S = ChecksInStateRequest;
  static constexpr auto kFields = fields(
      std::array{
          field<S, &S::datacenter>("Datacenter"),
          field<S, &S::node_meta_filters>("NodeMetaFilters"),
          field<S, &S::state>("State"),
          field<S, &S::source>("Source")},
      kQueryOptions<S>);
  return kFields;
}

Structure DatacentersRequest::structure() {
  using S = DatacentersRequest;
  static constexpr auto kFields = fields(kQueryOptions<S>);
  return kFields;
}

} // namespace switchyard::consul

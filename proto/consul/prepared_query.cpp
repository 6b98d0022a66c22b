#include <proto/consul/group_keys.hpp>
#include <proto/consul/prepared_query.hpp>

namespace switchyard::consul {

Structure QueryDatacenterOptions::structure() {
  using S = QueryDatacenterOptions;
  static constexpr auto kFields = fields(
      std::array{field<S, &S::nearest_n>("NearestN"), field<S, &S::datacenters>("Datacenters")});
  return kFields;
}

Structure ServiceQuery::structure() {
  using S = ServiceQuery;
  static constexpr auto kFields = fields(std::array{
      field<S, &S::service>("Service"),
      field<S, &S::failover>("Failover"),
      field<S, &S::only_passing>("OnlyPassing"),
      field<S, &S::ignore_check_ids>("IgnoreCheckIDs"),
      field<S, &S::near>("Near"),
      field<S, &S::tags>("Tags"),
      field<S, &S::node_meta>("NodeMeta"),
      field<S, &S::service_meta>("ServiceMeta"),
      field<S, &S::connect>("Connect")});
  return kFields;
}

Structure QueryTemplateOptions::structure() {
  using S = QueryTemplateOptions;
  static constexpr auto kFields = fields(std::array{
      field<S, &S::type>("Type"),
      field<S, &S::regexp>("Regexp"),
      field<S, &S::remove_empty_tags>("RemoveEmptyTags")});
  return kFields;
}

Structure QueryDNSOptions::structure() {
  using S = QueryDNSOptions;
  static constexpr auto kFields = fields(std::array{field<S, &S::ttl>("TTL")});
  return kFields;
}

Structure PreparedQuery::structure() {
  using S = PreparedQuery;
  static constexpr auto kFields = fields(
      std::array{
          field<S, &S::id>("ID"),
          field<S, &S::name>("Name"),
          field<S, &S::session>("Session"),
          field<S, &S::token>("Token"),
          field<S, &S::template_options>("Template"),
          field<S, &S::service>("Service"),
          field<S, &S::dns>("DNS")},
      kRaftIndex<S>);
  return kFields;
}

Structure PreparedQueryRequest::structure() {
  using S = PreparedQueryRequest;
  static constexpr auto kFields = fields(
      std::array{
          field<S, &S::datacenter>("Datacenter"),
          field<S, &S::op>("Op"),
          field<S, &S::query>("Query")},
      kWriteRequest<S>);
  return kFields;
}

Structure PreparedQuerySpecificRequest::structure() {
  using S = PreparedQuerySpecificRequest;
  static constexpr auto kFields = fields(
      std::array{field<S, &S::datacenter>("Datacenter"), field<S, &S::query_id>("QueryID")},
      kQueryOptions<S>);
  return kFields;
}

Structure PreparedQueryExecuteRequest::structure() {
  using S = PreparedQueryExecuteRequest;
  static constexpr auto kFields = fields(
      std::array{
          field<S, &S::datacenter>("Datacenter"),
          field<S, &S::query_id_or_name>("QueryIDOrName"),
          field<S, &S::limit>("Limit"),
          field<S, &S::connect>("Connect"),
          field<S, &S::source>("Source"),
          field<S, &S::agent>("Agent")},
      kQueryOptions<S>);
  return kFields;
}

Structure PreparedQueryExecuteRemoteRequest::structure() {
  using S = PreparedQueryExecuteRemoteRequest;
  static constexpr auto kFields = fields(
      std::array{
          field<S, &S::datacenter>("Datacenter"),
          field<S, &S::query>("Query"),
          field<S, &S::limit>("Limit"),
          field<S, &S::connect>("Connect")},
      kQueryOptions<S>);
  return kFields;
}

Structure IndexedPreparedQueries::structure() {
  using S = IndexedPreparedQueries;
  static constexpr auto kFields =
      fields(std::array{field<S, &S::queries>("Queries")}, kQueryMeta<S>);
  return kFields;
}

Structure PreparedQueryExecuteResponse::structure() {
  using S = PreparedQueryExecuteResponse;
  static constexpr auto kFields = fields(
      std::array{
          field<S, &S::service>("Service"),
          field<S, &S::nodes>("Nodes"),
          field<S, &S::dns>("DNS"),
          field<S, &S::datacenter>("Datacenter"),
          field<S, &S::failovers>("Failovers")},
      kQueryMeta<S>);
  return kFields;
}

Structure PreparedQueryExplainResponse::structure() {
  using S = PreparedQueryExplainResponse;
  static constexpr auto kFields = fields(std::array{field<S, &S::query>("Query")}, kQueryMeta<S>);
  return kFields;
}

} // namespace switchyard::consul

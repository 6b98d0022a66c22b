#include <proto/consul/group_keys.hpp>
#include <proto/consul/health_check.hpp>

namespace switchyard::consul {

Structure HealthCheckDefinition::structure() {
  using S = HealthCheckDefinition;
  static constexpr auto kFields = fields(std::array{
      field<S, &S::http>("HTTP"),
      field<S, &S::tls_skip_verify>("TLSSkipVerify"),
      field<S, &S::header>("Header"),
      field<S, &S::method>("Method"),
      field<S, &S::body>("Body"),
      field<S, &S::tcp>("TCP"),
      field<S, &S::interval>("Interval"),
      field<S, &S::output_max_size>("OutputMaxSize"),
      field<S, &S::timeout>("Timeout"),
      field<S, &S::deregister_critical_service_after>("DeregisterCriticalServiceAfter"),
      field<S, &S::script_args>("ScriptArgs"),
      field<S, &S::docker_container_id>("DockerContainerID"),
      field<S, &S::shell>("Shell"),
      field<S, &S::grpc>("GRPC"),
      field<S, &S::grpc_use_tls>("GRPCUseTLS"),
      field<S, &S::alias_node>("AliasNode"),
      field<S, &S::alias_service>("AliasService"),
      field<S, &S::ttl>("TTL")});
  return kFields;
}

Structure HealthCheck::structure() {
  using S = HealthCheck;
  static constexpr auto kFields = fields(
      std::array{
          field<S, &S::node>("Node"),
          field<S, &S::check_id>("CheckID"),
          field<S, &S::name>("Name"),
          field<S, &S::status>("Status"),
          field<S, &S::notes>("Notes"),
          field<S, &S::output>("Output"),
          field<S, &S::service_id>("ServiceID"),
          field<S, &S::service_name>("ServiceName"),
          field<S, &S::service_tags>("ServiceTags"),
          field<S, &S::type>("Type"),
          unsearched(field<S, &S::definition>("Definition"))},
      kRaftIndex<S>);
  return kFields;
}

} // namespace switchyard::consul

#include <proto/consul/group_keys.hpp>
#include <proto/consul/server.hpp>

namespace switchyard::consul {

Structure ServerStats::structure() {
  using S = ServerStats;
  static constexpr auto kFields = fields(std::array{
      field<S, &S::last_contact>("LastContact"),
      field<S, &S::last_term>("LastTerm"),
      field<S, &S::last_index>("LastIndex")});
  return kFields;
}

Structure RaftServer::structure() {
  using S = RaftServer;
  static constexpr auto kFields = fields(std::array{
      field<S, &S::id>("ID"),
      field<S, &S::node>("Node"),
      field<S, &S::address>("Address"),
      field<S, &S::leader>("Leader"),
      field<S, &S::protocol_version>("ProtocolVersion"),
      field<S, &S::voter>("Voter")});
  return kFields;
}

Structure RaftConfigurationResponse::structure() {
  using S = RaftConfigurationResponse;
  static constexpr auto kFields =
      fields(std::array{field<S, &S::servers>("Servers"), field<S, &S::index>("Index")});
  return kFields;
}

Structure RaftRemovePeerRequest::structure() {
  using S = RaftRemovePeerRequest;
  static constexpr auto kFields = fields(
      std::array{
          field<S, &S::datacenter>("Datacenter"),
          field<S, &S::address>("Address"),
          field<S, &S::id>("ID")},
      kWriteRequest<S>);
  return kFields;
}

Structure AutopilotConfig::structure() {
  using S = AutopilotConfig;
  static constexpr auto kFields = fields(
      std::array{
          field<S, &S::cleanup_dead_servers>("CleanupDeadServers"),
          field<S, &S::last_contact_threshold>("LastContactThreshold"),
          field<S, &S::max_trailing_logs>("MaxTrailingLogs"),
          field<S, &S::min_quorum>("MinQuorum"),
          field<S, &S::server_stabilization_time>("ServerStabilizationTime"),
          field<S, &S::redundancy_zone_tag>("RedundancyZoneTag"),
          field<S, &S::disable_upgrade_migration>("DisableUpgradeMigration"),
          field<S, &S::upgrade_version_tag>("UpgradeVersionTag")},
      kRaftIndex<S>);
  return kFields;
}

Structure AutopilotSetConfigRequest::structure() {
  using S = AutopilotSetConfigRequest;
  static constexpr auto kFields = fields(
      std::array{
          field<S, &S::datacenter>("Datacenter"),
          field<S, &S::config>("Config"),
          field<S, &S::cas>("CAS")},
      kWriteRequest<S>);
  return kFields;
}

Structure ServerHealth::structure() {
  using S = ServerHealth;
  static constexpr auto kFields = fields(std::array{
      field<S, &S::id>("ID"),
      field<S, &S::name>("Name"),
      field<S, &S::address>("Address"),
      field<S, &S::serf_status>("SerfStatus"),
      field<S, &S::version>("Version"),
      field<S, &S::leader>("Leader"),
      field<S, &S::last_contact>("LastContact"),
      field<S, &S::last_term>("LastTerm"),
      field<S, &S::last_index>("LastIndex"),
      field<S, &S::healthy>("Healthy"),
      field<S, &S::voter>("Voter"),
      field<S, &S::stable_since>("StableSince")});
  return kFields;
}

Structure OperatorHealthReply::structure() {
  using S = OperatorHealthReply;
  static constexpr auto kFields = fields(std::array{
      field<S, &S::healthy>("Healthy"),
      field<S, &S::failure_tolerance>("FailureTolerance"),
      field<S, &S::servers>("Servers")});
  return kFields;
}

} // namespace switchyard::consul

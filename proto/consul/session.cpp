#include <proto/consul/group_keys.hpp>
#include <proto/consul/session.hpp>

namespace switchyard::consul {

Structure ServiceCheck::structure() {
  using S = ServiceCheck;
  static constexpr auto kFields =
      fields(std::array{field<S, &S::id>("ID"), field<S, &S::namespace_name>("Namespace")});
  return kFields;
}

Structure Session::structure() {
  using S = Session;
  static constexpr auto kFields = fields(
      std::array{
          field<S, &S::id>("ID"),
          field<S, &S::name>("Name"),
          field<S, &S::node>("Node"),
          field<S, &S::lock_delay>("LockDelay"),
          field<S, &S::behavior>("Behavior"),
          field<S, &S::ttl>("TTL"),
          field<S, &S::node_checks>("NodeChecks"),
          field<S, &S::service_checks>("ServiceChecks"),
          field<S, &S::checks>("Checks")},
      kRaftIndex<S>);
  return kFields;
}

Structure SessionRequest::structure() {
  using S = SessionRequest;
  static constexpr auto kFields = fields(
      std::array{
          field<S, &S::datacenter>("Datacenter"),
          field<S, &S::op>("Op"),
          field<S, &S::session>("Session")},
      kWriteRequest<S>);
  return kFields;
}

Structure SessionSpecificRequest::structure() {
  using S = SessionSpecificRequest;
  static constexpr auto kFields = fields(
      std::array{
          field<S, &S::datacenter>("Datacenter"),
          field<S, &S::session_id>("SessionID"),
          field<S, &S::session>("Session")},
      kQueryOptions<S>);
  return kFields;
}

Structure IndexedSessions::structure() {
  using S = IndexedSessions;
  static constexpr auto kFields =
      fields(std::array{field<S, &S::sessions>("Sessions")}, kQueryMeta<S>);
  return kFields;
}

} // namespace switchyard::consul

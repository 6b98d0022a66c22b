#include <proto/consul/group_keys.hpp>
#include <proto/consul/health.hpp>

namespace switchyard::consul {

Structure CheckServiceNode::structure() {
  using S = CheckServiceNode;
  static constexpr auto kFields = fields(std::array{
      field<S, &S::node>("Node"),
      field<S, &S::service>("Service"),
      field<S, &S::checks>("Checks")});
  return kFields;
}

Structure IndexedHealthChecks::structure() {
  using S = IndexedHealthChecks;
  static constexpr auto kFields =
      fields(std::array{field<S, &S::health_checks>("HealthChecks")}, kQueryMeta<S>);
  return kFields;
}

Structure IndexedCheckServiceNodes::structure() {
  using S = IndexedCheckServiceNodes;
  static constexpr auto kFields = fields(std::array{field<S, &S::nodes>("Nodes")}, kQueryMeta<S>);
  return kFields;
}

} // namespace switchyard::consul

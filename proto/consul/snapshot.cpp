#include <proto/consul/group_keys.hpp>
#include <proto/consul/snapshot.hpp>

namespace switchyard::consul {

Structure SnapshotRequest::structure() {
  using S = SnapshotRequest;
  static constexpr auto kFields = fields(std::array{
      field<S, &S::datacenter>("Datacenter"),
      field<S, &S::token>("Token"),
      field<S, &S::allow_stale>("AllowStale"),
      field<S, &S::op>("Op")});
  return kFields;
}

Structure SnapshotResponse::structure() {
  using S = SnapshotResponse;
  static constexpr auto kFields = fields(std::array{field<S, &S::error>("Error")}, kQueryMeta<S>);
  return kFields;
}

} // namespace switchyard::consul

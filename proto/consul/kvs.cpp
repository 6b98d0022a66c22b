#include <proto/consul/group_keys.hpp>
#include <proto/consul/kvs.hpp>

namespace switchyard::consul {

Structure DirEntry::structure() {
  using S = DirEntry;
  static constexpr auto kFields = fields(
      std::array{
          field<S, &S::lock_index>("LockIndex"),
          field<S, &S::key>("Key"),
          field<S, &S::flags>("Flags"),
          field<S, &S::value>("Value"),
          field<S, &S::session>("Session")},
      kRaftIndex<S>);
  return kFields;
}

Structure KVSRequest::structure() {
  using S = KVSRequest;
  static constexpr auto kFields = fields(
      std::array{
          field<S, &S::datacenter>("Datacenter"),
          field<S, &S::op>("Op"),
          field<S, &S::dir_ent>("DirEnt")},
      kWriteRequest<S>);
  return kFields;
}

Structure KeyRequest::structure() {
  using S = KeyRequest;
  static constexpr auto kFields = fields(
      std::array{field<S, &S::datacenter>("Datacenter"), field<S, &S::key>("Key")},
      kQueryOptions<S>);
  return kFields;
}

Structure KeyListRequest::structure() {
  using S = KeyListRequest;
  static constexpr auto kFields = fields(
      std::array{
          field<S, &S::datacenter>("Datacenter"),
          field<S, &S::prefix>("Prefix"),
          field<S, &S::seperator>("Seperator")},
      kQueryOptions<S>);
  return kFields;
}

Structure IndexedDirEntries::structure() {
  using S = IndexedDirEntries;
  static constexpr auto kFields =
      fields(std::array{field<S, &S::entries>("Entries")}, kQueryMeta<S>);
  return kFields;
}

Structure IndexedKeyList::structure() {
  using S = IndexedKeyList;
  static constexpr auto kFields = fields(std::array{field<S, &S::keys>("Keys")}, kQueryMeta<S>);
  return kFields;
}

} // namespace switchyard::consul

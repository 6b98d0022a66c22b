#include <proto/consul/group_keys.hpp>
#include <proto/consul/txn.hpp>

namespace switchyard::consul {

Structure TxnKVOp::structure() {
  using S = TxnKVOp;
  static constexpr auto kFields =
      fields(std::array{field<S, &S::verb>("Verb"), field<S, &S::dir_ent>("DirEnt")});
  return kFields;
}

Structure TxnNodeOp::structure() {
  using S = TxnNodeOp;
  static constexpr auto kFields =
      fields(std::array{field<S, &S::verb>("Verb"), field<S, &S::node>("Node")});
  return kFields;
}

Structure TxnServiceOp::structure() {
  using S = TxnServiceOp;
  static constexpr auto kFields = fields(std::array{
      field<S, &S::verb>("Verb"), field<S, &S::node>("Node"), field<S, &S::service>("Service")});
  return kFields;
}

Structure TxnCheckOp::structure() {
  using S = TxnCheckOp;
  static constexpr auto kFields =
      fields(std::array{field<S, &S::verb>("Verb"), field<S, &S::check>("Check")});
  return kFields;
}

Structure TxnSessionOp::structure() {
  using S = TxnSessionOp;
  static constexpr auto kFields =
      fields(std::array{field<S, &S::verb>("Verb"), field<S, &S::session>("Session")});
  return kFields;
}

Structure TxnOp::structure() {
  using S = TxnOp;
  static constexpr auto kFields = fields(std::array{
      field<S, &S::kv>("KV"),
      field<S, &S::intention>("Intention"),
      field<S, &S::node>("Node"),
      field<S, &S::service>("Service"),
      field<S, &S::check>("Check"),
      field<S, &S::session>("Session")});
  return kFields;
}

Structure TxnRequest::structure() {
  using S = TxnRequest;
  static constexpr auto kFields = fields(
      std::array{field<S, &S::datacenter>("Datacenter"), field<S, &S::ops>("Ops")},
      kWriteRequest<S>);
  return kFields;
}

Structure TxnReadRequest::structure() {
  using S = TxnReadRequest;
  static constexpr auto kFields = fields(
      std::array{field<S, &S::datacenter>("Datacenter"), field<S, &S::ops>("Ops")},
      kQueryOptions<S>);
  return kFields;
}

Structure TxnResult::structure() {
  using S = TxnResult;
  static constexpr auto kFields = fields(std::array{
      field<S, &S::kv>("KV"),
      field<S, &S::node>("Node"),
      field<S, &S::service>("Service"),
      field<S, &S::check>("Check")});
  return kFields;
}

Structure TxnError::structure() {
  using S = TxnError;
  static constexpr auto kFields =
      fields(std::array{field<S, &S::op_index>("OpIndex"), field<S, &S::what>("What")});
  return kFields;
}

Structure TxnResponse::structure() {
  using S = TxnResponse;
  static constexpr auto kFields =
      fields(std::array{field<S, &S::results>("Results"), field<S, &S::errors>("Errors")});
  return kFields;
}

Structure TxnReadResponse::structure() {
  using S = TxnReadResponse;
  static constexpr auto kFields = fields(
      std::array{field<S, &S::results>("Results"), field<S, &S::errors>("Errors")}, kQueryMeta<S>);
  return kFields;
}

} // namespace switchyard::consul

// Properties: what is read as a structure is written and read again as the same; nothing that a
// peer sends takes more memory than its bytes allow.
#include <proto/consul/catalog.hpp>
#include <proto/consul/config_entry.hpp>
#include <proto/consul/coordinate.hpp>
#include <proto/consul/internal.hpp>
#include <proto/consul/kvs.hpp>
#include <proto/consul/prepared_query.hpp>
#include <proto/consul/query.hpp>
#include <proto/consul/server.hpp>
#include <proto/consul/session.hpp>
#include <proto/consul/snapshot.hpp>
#include <proto/consul/txn.hpp>

#include <cstdlib>

namespace {

using namespace switchyard::consul;

template <Structured Type>
void check(std::span<const std::byte> body) {
  const auto object = decode<Type>(body);
  if (!object) return;
  std::vector<std::byte> written;
  encode(*object, written);
  const auto again = decode<Type>(written);
  if (!again) std::abort();
  std::vector<std::byte> rewritten;
  encode(*again, rewritten); // bytes: a NaN is not equal to itself
  if (written != rewritten) std::abort();
}

template <auto Decode>
void check_inside(std::span<const std::byte> body) {
  const auto object = Decode(body, {});
  if (!object) return;
  std::vector<std::byte> written;
  encode_config_entry(*object, written);
  const auto again = Decode(written, {});
  if (!again || *again != *object) std::abort();
}

template <Structured... Types>
void check_one_of(std::uint8_t which, std::span<const std::byte> body) {
  constexpr void (*kChecks[])(std::span<const std::byte>) = {
      check<Types>...,
      check_inside<decode_config_entry_request>,
      check_inside<decode_config_entry_response>,
      check_inside<decode_indexed_config_entries>};
  kChecks[which % std::size(kChecks)](body);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  check_one_of<
      AutopilotSetConfigRequest,
      ChecksInStateRequest,
      ConfigEntryQuery,
      CoordinateUpdateRequest,
      DCSpecificRequest,
      DeregisterRequest,
      EventFireRequest,
      KVSRequest,
      KeyListRequest,
      KeyRequest,
      NodeSpecificRequest,
      PreparedQueryExecuteRemoteRequest,
      PreparedQueryExecuteRequest,
      PreparedQueryRequest,
      PreparedQuerySpecificRequest,
      RaftRemovePeerRequest,
      RegisterRequest,
      ServiceDumpRequest,
      ServiceSpecificRequest,
      SessionRequest,
      SessionSpecificRequest,
      SnapshotRequest,
      TxnReadRequest,
      TxnRequest>(data[0], std::as_bytes(std::span{data, size}.subspan(1)));
  return 0;
}

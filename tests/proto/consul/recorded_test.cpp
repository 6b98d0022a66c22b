// Bodies recorded from a real Consul 1.8.7 pass through their structures and come out the same.
#include <proto/consul/catalog.hpp>
#include <proto/consul/config_entry.hpp>
#include <proto/consul/coordinate.hpp>
#include <proto/consul/health.hpp>
#include <proto/consul/internal.hpp>
#include <proto/consul/kvs.hpp>
#include <proto/consul/prepared_query.hpp>
#include <proto/consul/query.hpp>
#include <proto/consul/server.hpp>
#include <proto/consul/session.hpp>
#include <proto/consul/txn.hpp>
#include <proto/msgpack/value.hpp>
#include <proto/netrpc/request.hpp>
#include <proto/netrpc/response.hpp>

#include <gtest/gtest.h>
#include <tests/proto/recordings.hpp>

#include <algorithm>
#include <functional>

namespace switchyard::consul {
namespace {

using test::hex;
using test::recordings;

using Trip = std::function<test::Bytes(std::span<const std::byte>)>;

template <Structured Type>
test::Bytes through(std::span<const std::byte> body) {
  const auto object = decode<Type>(body);
  EXPECT_TRUE(object) << object.error().message();
  test::Bytes out;
  if (object) {
    EXPECT_EQ(decode<Type>(body).value(), *object);
    encode(*object, out);
  }
  return out;
}

/// What is no structure: an id, a bool, a list of names.
test::Bytes as_it_is(std::span<const std::byte> body) {
  return {body.begin(), body.end()};
}

/// What is one string with objects inside.
template <auto Decode>
test::Bytes inside(std::span<const std::byte> body) {
  const auto object = Decode(body, {});
  EXPECT_TRUE(object) << object.error().message();
  test::Bytes out;
  if (object) encode_config_entry(*object, out);
  return out;
}

struct Method {
  Trip request;
  Trip reply;
};

template <Structured Request, Structured Reply>
Method method() {
  return {through<Request>, through<Reply>};
}

template <Structured Request>
Method method() {
  return {through<Request>, as_it_is};
}

const std::map<std::string_view, Method>& methods() {
  static const std::map<std::string_view, Method> all{
      {"Catalog.Deregister", method<DeregisterRequest>()},
      {"Catalog.ListDatacenters", method<DatacentersRequest>()},
      {"Catalog.ListNodes", method<DCSpecificRequest, IndexedNodes>()},
      {"Catalog.ListServices", method<DCSpecificRequest, IndexedServices>()},
      {"Catalog.NodeServiceList", method<NodeSpecificRequest, IndexedNodeServiceList>()},
      {"Catalog.NodeServices", method<NodeSpecificRequest, IndexedNodeServices>()},
      {"Catalog.Register", method<RegisterRequest>()},
      {"Catalog.ServiceNodes", method<ServiceSpecificRequest, IndexedServiceNodes>()},
      {"ConfigEntry.Apply", {inside<decode_config_entry_request>, as_it_is}},
      {"ConfigEntry.Delete", {inside<decode_config_entry_request>, as_it_is}},
      {"ConfigEntry.Get", {through<ConfigEntryQuery>, inside<decode_config_entry_response>}},
      {"ConfigEntry.List", {through<ConfigEntryQuery>, inside<decode_indexed_config_entries>}},
      {"Coordinate.ListDatacenters", {as_it_is, as_it_is}},
      {"Coordinate.ListNodes", method<DCSpecificRequest, IndexedCoordinates>()},
      {"Coordinate.Node", method<NodeSpecificRequest, IndexedCoordinates>()},
      {"Health.ChecksInState", method<ChecksInStateRequest, IndexedHealthChecks>()},
      {"Health.NodeChecks", method<NodeSpecificRequest, IndexedHealthChecks>()},
      {"Health.ServiceChecks", method<ServiceSpecificRequest, IndexedHealthChecks>()},
      {"Health.ServiceNodes", method<ServiceSpecificRequest, IndexedCheckServiceNodes>()},
      {"Internal.EventFire", method<EventFireRequest, EventFireResponse>()},
      {"Internal.NodeDump", method<DCSpecificRequest, IndexedNodeDump>()},
      {"Internal.NodeInfo", method<NodeSpecificRequest, IndexedNodeDump>()},
      {"Internal.ServiceDump", method<ServiceDumpRequest, IndexedCheckServiceNodes>()},
      {"KVS.Apply", method<KVSRequest>()},
      {"KVS.Get", method<KeyRequest, IndexedDirEntries>()},
      {"KVS.List", method<KeyRequest, IndexedDirEntries>()},
      {"KVS.ListKeys", method<KeyListRequest, IndexedKeyList>()},
      {"Operator.AutopilotGetConfiguration", method<DCSpecificRequest, AutopilotConfig>()},
      {"Operator.RaftGetConfiguration", method<DCSpecificRequest, RaftConfigurationResponse>()},
      {"Operator.ServerHealth", method<DCSpecificRequest, OperatorHealthReply>()},
      {"PreparedQuery.Apply", method<PreparedQueryRequest>()},
      {"PreparedQuery.Execute",
       method<PreparedQueryExecuteRequest, PreparedQueryExecuteResponse>()},
      {"PreparedQuery.Explain",
       method<PreparedQueryExecuteRequest, PreparedQueryExplainResponse>()},
      {"PreparedQuery.Get", method<PreparedQuerySpecificRequest, IndexedPreparedQueries>()},
      {"PreparedQuery.List", method<DCSpecificRequest, IndexedPreparedQueries>()},
      {"Session.Apply", method<SessionRequest>()},
      {"Session.Get", method<SessionSpecificRequest, IndexedSessions>()},
      {"Session.List", method<SessionSpecificRequest, IndexedSessions>()},
      {"Session.NodeSessions", method<NodeSpecificRequest, IndexedSessions>()},
      {"Session.Renew", method<SessionSpecificRequest, IndexedSessions>()},
      {"Status.Leader", method<DCSpecificRequest>()},
      {"Status.Peers", method<DCSpecificRequest>()},
      {"Txn.Apply", method<TxnRequest, TxnResponse>()},
      {"Txn.Read", method<TxnReadRequest, TxnReadResponse>()},
  };
  return all;
}

/// Of what is recorded, the methods whose structures are not here.
bool elsewhere(std::string_view method) {
  const std::string_view services[] = {
      "ConnectCA.", "DiscoveryChain.", "FederationState.", "Intention."};
  return std::ranges::any_of(services, [&](auto service) { return method.starts_with(service); });
}

/// With the pairs of every map in the order of their keys: Go's own maps come in any.
msgpack::Value sorted(msgpack::Value value) {
  if (auto* list = std::get_if<msgpack::Value::Array>(&value.content)) {
    for (auto& element : *list)
      element = sorted(std::move(element));
  } else if (auto* map = std::get_if<msgpack::Value::Map>(&value.content)) {
    for (auto& pair : *map)
      pair.value = sorted(std::move(pair.value));
    std::ranges::sort(
        *map, {}, [](const auto& pair) { return std::get<std::string>(pair.key.content); });
  }
  return value;
}

std::string canonical(std::span<const std::byte> body) {
  const auto decoded = msgpack::decode_value(body);
  test::Bytes out;
  msgpack::encode_value(sorted((*decoded)->value), out);
  return hex(out);
}

TEST(ConsulRecorded, RequestsOfARealAgentKeepEveryField) {
  std::size_t seen = 0;
  for (const auto& [name, bytes] : recordings(".c2s.bin")) {
    SCOPED_TRACE(name);
    const auto header = netrpc::decode_request_header(bytes);
    ASSERT_TRUE(header && *header);
    if (elsewhere((*header)->method)) continue;
    ++seen;
    const auto body = std::span{bytes}.subspan((*header)->size);
    EXPECT_EQ(canonical(methods().at((*header)->method).request(body)), canonical(body));
  }
  EXPECT_GT(seen, 100U);
}

TEST(ConsulRecorded, RepliesOfARealServerKeepEveryField) {
  std::size_t seen = 0;
  for (const auto& [name, bytes] : recordings(".s2c.bin")) {
    SCOPED_TRACE(name);
    const auto header = netrpc::decode_response_header(bytes);
    ASSERT_TRUE(header && *header);
    if (elsewhere((*header)->method) || !(*header)->error.empty()) continue;
    ++seen;
    const auto body = std::span{bytes}.subspan((*header)->size);
    EXPECT_EQ(canonical(methods().at((*header)->method).reply(body)), canonical(body));
  }
  EXPECT_GT(seen, 90U);
}

} // namespace
} // namespace switchyard::consul

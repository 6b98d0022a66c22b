// switchyard.netrpc.endpoints/1: registrations, and calls in process.
#include "netrpc.hpp"

namespace switchyard::netrpc::test {
namespace {

struct Done {
  sy_status status = 1;
  std::string error;
  std::string reply;
  int times = 0;

  static void set(void* context, sy_status status, sy_string error, sy_bytes reply) {
    auto& done = *static_cast<Done*>(context);
    done.status = status;
    done.error = {error.data, error.size};
    done.reply = {static_cast<const char*>(reply.data), reply.size};
    ++done.times;
  }
};

class NetrpcEndpoints : public Netrpc {
protected:
  sy_status invoke(std::string_view method, std::string_view body, Done& done) {
    return endpoints().invoke(
        instance, text(method), {body.data(), body.size()}, &Done::set, &done);
  }

  std::string ask(std::string_view method) {
    const auto client = open(kSingle);
    client.send(request(1, method));
    client.finish();
    return client.receive_all();
  }
};

TEST_F(NetrpcEndpoints, AreServedFromRegistrationToRemoval) {
  EXPECT_EQ(ask("KVS.Get"), failure(1, "KVS.Get", "rpc: can't find service KVS.Get"));
  Endpoint endpoint;
  offer("KVS.Get", endpoint);
  const auto client = open(kSingle);
  client.send(request(1, "KVS.Get"));
  const auto held = endpoint.take();
  EXPECT_EQ(journal.held(), 1);
  journal.remove("KVS.Get");
  EXPECT_EQ(ask("KVS.Get"), failure(1, "KVS.Get", "rpc: can't find service KVS.Get"));
  EXPECT_EQ(journal.held(), 1) << "a call in progress holds its registrant";
  reply(held, "\xc3");
  const auto answer = response(1, "KVS.Get", "\xc3");
  EXPECT_EQ(client.receive(answer.size()), answer);
  settle();
  EXPECT_EQ(journal.held(), 0);
}

TEST_F(NetrpcEndpoints, OfOneServiceTellMissingMethodsFromMissingServices) {
  Endpoint endpoint;
  offer("KVS.Get", endpoint);
  offer("AutoEncrypt.Sign", endpoint, SY_NETRPC_INSECURE);
  EXPECT_EQ(ask("KVS.Apply"), failure(1, "KVS.Apply", "rpc: can't find method KVS.Apply"));
  EXPECT_EQ(ask("KV.Get"), failure(1, "KV.Get", "rpc: can't find service KV.Get"));
  EXPECT_EQ(
      ask("AutoEncrypt.Nope"),
      failure(1, "AutoEncrypt.Nope", "rpc: can't find service AutoEncrypt.Nope"));
}

TEST_F(NetrpcEndpoints, AreRefusedWithASentence) {
  Endpoint endpoint;
  const auto good = endpoint.entry();
  auto without_call = good;
  without_call.call = nullptr;
  auto short_entry = good;
  short_entry.struct_size = 8;

  const struct {
    std::string_view key;
    const sy_netrpc_endpoint& entry;
    std::size_t size;
    sy_status status;
    std::string_view why;
  } cases[] = {
      {"Status.Ping", good, sizeof good, SY_EXISTS, "another endpoint has this name"},
      {"Ping", good, sizeof good, SY_INVALID, "an endpoint is named Service.Method"},
      {"A.B", without_call, sizeof good, SY_INVALID, "an endpoint is named Service.Method"},
      {"A.B", short_entry, sizeof good, SY_INVALID, "the entry is no sy_netrpc_endpoint"},
      {"A.B", good, 8, SY_INVALID, "the entry is no sy_netrpc_endpoint"},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.key);
    std::string why;
    EXPECT_EQ(
        journal.add(endpoints().registrar, instance, c.key, &c.entry, c.size, &why), c.status);
    EXPECT_THAT(why, testing::StartsWith(std::string{c.why}));
  }
}

TEST_F(NetrpcEndpoints, CanBeCalledInProcess) {
  Done ping;
  EXPECT_EQ(invoke("Status.Ping", "\x80", ping), SY_OK);
  EXPECT_EQ(ping.times, 1);
  EXPECT_EQ(ping.status, SY_OK);
  EXPECT_EQ(ping.error, "");
  EXPECT_EQ(ping.reply, "\x80");

  Endpoint endpoint;
  offer("KVS.Get", endpoint);
  Done done[4];
  for (auto& each : done)
    EXPECT_EQ(invoke("KVS.Get", "\xa1k", each), SY_OK);
  const auto first = endpoint.take();
  EXPECT_EQ(first.body, "\xa1k");
  const auto remote = first.call->api->remote(first.call);
  EXPECT_EQ((std::string_view{remote.data, remote.size}), "in-process");
  reply(first, "\xc3");
  fail(endpoint.take(), "No cluster leader");
  auto* call = endpoint.take().call;
  call->api->reject(call, text("codec.decoder: no"));
  call = endpoint.take().call;
  call->api->drop(call);

  EXPECT_EQ(done[0].reply, "\xc3");
  EXPECT_EQ(done[1].error, "No cluster leader");
  EXPECT_EQ(done[1].status, SY_OK);
  EXPECT_EQ(done[2].error, "codec.decoder: no");
  EXPECT_EQ(done[3].status, SY_CLOSED);
  for (const auto& each : done)
    EXPECT_EQ(each.times, 1);
}

TEST_F(NetrpcEndpoints, ThatAreMissingAreNotFoundInProcess) {
  Endpoint sign;
  offer("AutoEncrypt.Sign", sign, SY_NETRPC_INSECURE);
  Done done;
  EXPECT_EQ(invoke("KVS.Get", "\x80", done), SY_NOT_FOUND);
  EXPECT_EQ(invoke("nothing", "\x80", done), SY_NOT_FOUND);
  EXPECT_EQ(invoke("AutoEncrypt.Sign", "\x80", done), SY_NOT_FOUND);
  EXPECT_EQ(done.times, 0);
}

TEST_F(NetrpcEndpoints, AreToldOfADrainInProcessToo) {
  Endpoint slow;
  offer("Slow.Get", slow);
  Done done;
  EXPECT_EQ(invoke("Slow.Get", "\x80", done), SY_OK);
  const auto held = slow.take();
  auto drained = drain();
  EXPECT_EQ(slow.cancelled(1).at(0), held.call);
  EXPECT_EQ(invoke("Slow.Get", "\x80", done), SY_CANCELLED);
  reply(held, "\xc3");
  EXPECT_EQ(done.times, 1);
  drained.wait();
}

} // namespace
} // namespace switchyard::netrpc::test

// Connections recorded from a Consul 1.8.7 server, spoken again to the plugin. What Status.Leader,
// Status.Peers and Status.RaftStats answer comes from endpoints of the test.
#include "netrpc.hpp"
#include "yamux_peer.hpp"

#include <proto/netrpc/error_text.hpp>

#include <tests/proto/yamux/frames.hpp>

namespace switchyard::netrpc::test {
namespace {

/// Answers at once with one object, and refuses what is no structure.
struct Fixed {
  std::string reply;

  [[nodiscard]] sy_netrpc_endpoint entry() {
    return {
        .struct_size = sizeof(sy_netrpc_endpoint),
        .flags = 0,
        .context = this,
        .call =
            [](void* context, sy_netrpc_call* call, sy_bytes body) {
              const auto& self = *static_cast<Fixed*>(context);
              const std::span bytes{static_cast<const std::byte*>(body.data), body.size};
              if (const auto wrong = no_structure(bytes)) {
                return call->api->reject(call, text(*wrong));
              }
              call->api->reply(call, {self.reply.data(), self.reply.size()});
            },
        .cancel = nullptr};
  }
};

class NetrpcRecorded : public Netrpc {
protected:
  void SetUp() override {
    Netrpc::SetUp();
    add("Status.Leader", leader_);
    add("Status.Peers", peers_);
  }

private:
  void add(std::string_view method, Fixed& fixed) {
    const auto entry = fixed.entry();
    ASSERT_EQ(journal.add(endpoints().registrar, instance, method, &entry, sizeof entry), SY_OK);
  }

  Fixed leader_{"\xae"
                "127.0.0.3:8300"};
  Fixed peers_{"\x91\xae"
               "127.0.0.3:8300"};
};

TEST_F(NetrpcRecorded, PlainConnectionsGetTheSameBytesAndTheSameEnd) {
  enum class End { Open, Closed };

  const struct {
    std::string name;
    End end;
  } cases[] = {
      {"01-byte0-Status.Ping", End::Open},
      {"02-byte0-Status.Leader", End::Open},
      {"03-byte0-Status.Leader-empty-map-body-empty-datacenter", End::Open},
      {"04-byte0-Status.Peers", End::Open},
      {"08-byte0-unknown-method", End::Closed},
      {"09-byte0-unknown-service", End::Closed},
      {"10-byte0-ill-formed-method", End::Closed},
      {"11-byte0-empty-method", End::Closed},
      {"12-byte0-body-nil", End::Open},
      {"13-byte0-body-wrong-type-int", End::Closed},
      {"14-byte0-body-wrong-type-string", End::Closed},
      {"16-byte0-body-unknown-fields-ignored", End::Open},
      {"18-byte0-header-as-array", End::Open},
      {"19-byte0-header-int", End::Closed},
      {"20-byte0-str8-and-bin-in-request", End::Open},
      {"21-byte0-header-keys-lowercase", End::Closed},
      {"22-byte0-lowercase-body-key", End::Open},
      {"23-byte0-seq-u64-max", End::Open},
      {"53-byte0-AutoEncrypt.Sign-on-normal-port", End::Closed},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const Recording recording{c.name};
    const auto client = open(kSingle);
    client.send(recording.sent.substr(1));
    if (c.end == End::Closed) {
      EXPECT_EQ(client.receive_all(), recording.received);
    } else {
      EXPECT_EQ(client.receive(recording.received.size()), recording.received);
      client.send(request(77, "Status.Ping"));
      EXPECT_EQ(client.receive(40), response(77, "Status.Ping"));
    }
  }
}

/// What a direction of a session says of one stream: its bytes, and whether it ended.
std::map<std::uint32_t, std::string> streams_of(std::string_view wire) {
  std::map<std::uint32_t, std::string> streams;
  auto rest = std::as_bytes(std::span{wire});
  while (!rest.empty()) {
    const auto header = *yamux::decode_header(rest.first<yamux::kHeaderSize>());
    rest = rest.subspan(yamux::kHeaderSize);
    const auto size = header.type == yamux::FrameType::Data ? header.length : 0;
    streams[header.stream_id] += yamux::test::text(rest.first(size));
    if (header.has(yamux::Flag::Fin)) streams[header.stream_id] += " FIN";
    if (header.type == yamux::FrameType::Ping) streams[0] += std::to_string(header.length);
    rest = rest.subspan(size);
  }
  return streams;
}

// Consul leaves out the ACK of a stream that its client has finished (77), answers streams in
// another order (72), and writes one frame for each answer (75): none of it says anything.
TEST_F(NetrpcRecorded, SessionsSayTheSameOnEachStream) {
  for (const std::string name :
       {"72-byte4-yamux-two-streams",
        "73-byte4-yamux-syn-on-data-frame",
        "74-byte4-yamux-ping",
        "75-byte4-yamux-two-requests-one-stream",
        "77-byte4-yamux-half-close-before-reply",
        "78-byte4-yamux-stream-first-byte-06-gossip",
        "79-byte4-yamux-stream-garbage-msgpack",
        "80-byte4-yamux-bad-version",
        "81-byte4-yamux-bad-type",
        "82-byte4-yamux-duplicate-stream",
        "83-byte4-yamux-unknown-stream-data",
        "84-byte4-yamux-even-stream-id-from-client",
        "85-byte4-yamux-goaway-normal-then-ping",
        "87-byte4-yamux-idle-stream-blocks-later-streams"}) {
    SCOPED_TRACE(name);
    const Recording recording{name};
    const auto client = open(kMulti);
    client.send(recording.sent.substr(1));
    client.finish();
    EXPECT_EQ(streams_of(client.receive_all()), streams_of(recording.received));
  }
}

} // namespace
} // namespace switchyard::netrpc::test

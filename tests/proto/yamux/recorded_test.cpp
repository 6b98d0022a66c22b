// Connections recorded from a Consul 1.8.7 server: what the client sent goes in; then the session
// is asked for what the server did, and must put the same bytes on the wire.
#include "echo.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace switchyard::yamux::test {
namespace {

using namespace std::chrono_literals;

constexpr Limits kLimits;

Bytes load(const std::string& name) {
  std::ifstream file{
      SWITCHYARD_SOURCE_DIR "/tests/vectors/consul-1.8.7/raw/raw-" + name, std::ios::binary};
  EXPECT_TRUE(file) << name;
  return bytes(std::string{std::istreambuf_iterator<char>{file}, {}});
}

/// Leaves every answer to the test.
class Client final : public Events {
public:
  void on_open(std::uint32_t stream) override { line("open ", stream); }

  void on_data(std::uint32_t stream, std::span<const std::byte> piece) override {
    line("data " + std::to_string(piece.size()) + " on ", stream);
  }

  void on_finish(std::uint32_t stream) override { line("finish ", stream); }

  void on_reset(std::uint32_t stream) override { line("reset ", stream); }

  void on_writable(std::uint32_t stream) override { line("writable ", stream); }

  void on_go_away() override { log += "goaway\n"; }

  std::string log;

private:
  void line(std::string_view what, std::uint32_t stream) {
    log += std::string{what} + std::to_string(stream) + '\n';
  }
};

/// Does on `session` what the frame says; answers to pings must be there already.
Bytes perform(Session& session, const Header& header, std::span<const std::byte> payload) {
  if (header.type != FrameType::Ping) {
    if (header.has(Flag::Ack)) session.accept(header.stream_id);
    if (!payload.empty()) {
      EXPECT_EQ(session.write(header.stream_id, payload), payload.size());
    }
    if (header.has(Flag::Fin)) session.finish(header.stream_id);
  }
  return session.take_output();
}

TEST(YamuxRecorded, ConsulsServerAndThisOneAgree) {
  const struct {
    std::string name;
    std::string log;
    boost::system::error_code error{};
  } cases[] = {
      {"72-byte4-yamux-two-streams", "open 1\ndata 33 on 1\nopen 3\ndata 50 on 3\n"},
      {"73-byte4-yamux-syn-on-data-frame", "open 1\ndata 33 on 1\n"},
      {"74-byte4-yamux-ping", ""},
      {"75-byte4-yamux-two-requests-one-stream", "open 1\ndata 33 on 1\ndata 50 on 1\n"},
      {"76-byte4-yamux-out-of-order-across-streams",
       "open 1\ndata 201 on 1\nopen 3\ndata 33 on 3\n"},
      {"78-byte4-yamux-stream-first-byte-06-gossip", "open 1\ndata 3 on 1\n"},
      {"79-byte4-yamux-stream-garbage-msgpack", "open 1\ndata 3 on 1\nopen 3\ndata 33 on 3\n"},
      {"80-byte4-yamux-bad-version", "", Error::UnknownVersion},
      {"81-byte4-yamux-bad-type", "", Error::UnknownType},
      {"82-byte4-yamux-duplicate-stream", "open 1\n", Error::StreamReused},
      {"83-byte4-yamux-unknown-stream-data", ""},
      {"84-byte4-yamux-even-stream-id-from-client", "open 2\ndata 33 on 2\n"},
      {"85-byte4-yamux-goaway-normal-then-ping", "goaway\n"},
      {"86-byte4-yamux-rst", "open 1\nreset 1\n"},
      {"87-byte4-yamux-idle-stream-blocks-later-streams",
       "open 1\nopen 3\ndata 33 on 3\ndata 33 on 1\n"},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    Session session{Role::Server, kLimits, 0s};
    Client client;
    const auto sent = load(c.name + ".c2s.bin");
    const auto done = session.receive(std::span{sent}.subspan(1), client); // the tag is not ours
    EXPECT_EQ(done.error(), c.error);
    EXPECT_EQ(client.log, c.log);

    const auto recorded = load(c.name + ".s2c.bin");
    Bytes answered;
    for (auto rest = std::span{recorded}; !rest.empty();) {
      const auto header = *decode_header(rest.first<kHeaderSize>());
      const auto size = header.type == FrameType::Data ? header.length : 0;
      answered = std::move(answered) + perform(session, header, rest.subspan(kHeaderSize, size));
      rest = rest.subspan(kHeaderSize + size);
    }
    EXPECT_EQ(describe(answered), describe(recorded));
    EXPECT_EQ(answered, recorded);
  }
}

// Consul sends no ACK on a stream that the client had finished before it was read. We do: to a
// client that waits for nothing it is all the same.
TEST(YamuxRecorded, AcknowledgesAStreamThatItsClientHasFinished) {
  for (const std::string name :
       {"77-byte4-yamux-half-close-before-reply", "88-byte4-yamux-open-then-fin-without-data"}) {
    SCOPED_TRACE(name);
    Session session{Role::Server, kLimits, 0s};
    Client client;
    const auto sent = load(name + ".c2s.bin");
    ASSERT_TRUE(session.receive(std::span{sent}.subspan(1), client));
    EXPECT_TRUE(client.log.ends_with("finish 1\n"));
    (void)session.take_output();
    session.accept(1);
    EXPECT_EQ(describe(session.take_output()), "window ACK 1 0\n");

    const auto recorded = load(name + ".s2c.bin");
    auto rest = std::span{recorded};
    if (const auto header = *decode_header(rest.first<kHeaderSize>()); header.length > 0) {
      rest = rest.subspan(kHeaderSize);
      EXPECT_EQ(session.write(1, rest.first(header.length)), header.length);
    }
    session.finish(1);
    EXPECT_EQ(session.take_output(), recorded);
    EXPECT_EQ(session.stream_count(), 0u);
  }
}

} // namespace
} // namespace switchyard::yamux::test

#include <host/tls/contexts.hpp>

#include <gtest/gtest.h>
#include <tests/host/connection/loop_fixture.hpp>
#include <tests/host/tls/certificates.hpp>

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace switchyard::host {
namespace {

/// Two connections of one loop that speak TLS with each other.
struct TlsConnectionTest : testing::Test {
  TlsConnectionTest() {
    const TlsConfig config{files.ca(), files.certificate(), files.key(), false, false, {}};
    contexts = *TlsContexts::load(&config, {});
    fixture.run([this] {
      server = secure(0, contexts->server(ServerTls::Tagged), TlsSession::Role::Server);
      client = secure(1, contexts->client(false), TlsSession::Role::Client);
      for (int turn = 0; turn < 5; ++turn) {
        (void)client->tls()->handshake();
        (void)server->tls()->handshake();
      }
    });
  }

  Connection* secure(int end, ssl_ctx_st* context, TlsSession::Role role) {
    auto* connection = *Connection::open(fixture.owner(), pair.take(end), {});
    connection->secure(std::make_unique<TlsSession>(context, connection->socket(), role));
    return connection;
  }

  TestCertificates files;
  std::shared_ptr<const TlsContexts> contexts;
  SocketPair pair;
  LoopFixture fixture;
  Connection* server = nullptr;
  Connection* client = nullptr;
};

/// Reads until `wanted` bytes have come, on the loop.
struct Reader {
  Reader(Connection* connection_, std::size_t wanted_) : connection{connection_}, wanted{wanted_} {}

  Connection* connection;
  std::size_t wanted;
  std::string got;
  std::vector<char> buffer = std::vector<char>(10'000);
  std::promise<sy_status> ended;

  void go() {
    connection->read_some(
        buffer.data(),
        buffer.size(),
        [](void* context, sy_status status, std::size_t transferred) {
          auto& self = *static_cast<Reader*>(context);
          self.got.append(self.buffer.data(), transferred);
          if (status != SY_OK || transferred == 0 || self.got.size() >= self.wanted) {
            self.ended.set_value(status);
          } else {
            self.go();
          }
        },
        this);
  }
};

TEST_F(TlsConnectionTest, CarriesMoreThanTheSocketHolds) {
  std::string text;
  for (int i = 0; text.size() < 2'000'000; ++i)
    text += std::to_string(i) + ",";
  Reader reader{client, text.size()};
  Ended written;
  fixture.run([&] {
    const std::array<sy_bytes, 2> slices{{{text.data(), 7}, {text.data() + 7, text.size() - 7}}};
    EXPECT_EQ(server->write(slices.data(), slices.size(), &Ended::done, &written), SY_OK);
    reader.go();
  });
  EXPECT_EQ(reader.ended.get_future().get(), SY_OK);
  EXPECT_EQ(written.wait().first, SY_OK);
  EXPECT_EQ(reader.got, text);
}

TEST_F(TlsConnectionTest, GoesOnWithARefusedWrite) {
  const std::string text(1'000'000, 'x');
  std::size_t total = 0;
  fixture.run([&] {
    auto status = SY_OK;
    while (status == SY_OK && total < text.size()) {
      const sy_bytes slice{text.data() + total, text.size() - total};
      std::size_t sent = 0;
      status = server->try_write(&slice, 1, sent);
      total += sent;
    }
    EXPECT_EQ(status == SY_AGAIN || total < text.size(), true);
    const sy_bytes shorter{text.data() + total, 1};
    std::size_t sent = 0;
    EXPECT_EQ(server->try_write(&shorter, 1, sent), SY_INVALID); // less than was refused
  });
  Reader reader{client, text.size()};
  Ended written;
  fixture.run([&] {
    const sy_bytes rest{text.data() + total, text.size() - total};
    EXPECT_EQ(server->write(&rest, 1, &Ended::done, &written), SY_OK);
    reader.go();
  });
  EXPECT_EQ(reader.ended.get_future().get(), SY_OK);
  EXPECT_EQ(written.wait().first, SY_OK);
  EXPECT_EQ(reader.got, text);
}

TEST_F(TlsConnectionTest, IsReadableAtOnceWhenOpenSslHoldsBytes) {
  std::array<char, 4> buffer{};
  std::size_t transferred = 0;
  Ended waited;
  fixture.run([&] {
    const sy_bytes slice{"abcdefgh", 8};
    EXPECT_EQ(server->try_write(&slice, 1, transferred), SY_OK);
    EXPECT_EQ(client->try_read(buffer.data(), buffer.size(), transferred), SY_OK);
    EXPECT_EQ(client->wait_readable(&Ended::done, &waited), SY_OK);
  });
  EXPECT_EQ(waited.wait().first, SY_OK);
  fixture.run(
      [&] { EXPECT_EQ(client->try_read(buffer.data(), buffer.size(), transferred), SY_OK); });
  EXPECT_EQ(std::string(buffer.data(), buffer.size()), "efgh");
}

TEST_F(TlsConnectionTest, CannotBeHandedOutAsADescriptor) {
  fixture.run([&] {
    sy_descriptor descriptor{};
    descriptor.struct_size = sizeof descriptor;
    EXPECT_EQ(server->detach(descriptor), SY_UNSUPPORTED);
    server->close(CloseReason::Finished);
  });
}

TEST_F(TlsConnectionTest, ReadsZeroBytesAfterTheGoodbye) {
  Reader reader{client, 1};
  fixture.run([&] {
    server->shutdown_write();
    reader.go();
  });
  EXPECT_EQ(reader.ended.get_future().get(), SY_OK);
  EXPECT_EQ(reader.got, "");
}

} // namespace
} // namespace switchyard::host

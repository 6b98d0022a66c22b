#include <host/listen/endpoint.hpp>
#include <host/log/log.hpp>
#include <host/serve/server.hpp>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <tests/host/serve/plugin_fixture.hpp>
#include <tests/host/tls/certificates.hpp>

#include <string>
#include <unistd.h>

namespace switchyard::host {
namespace {

/// How a dial ended. Closes what it got.
struct Dialled {
  static void
  done(void* context, sy_status status, sy_connection* connection, const sy_error* error) {
    auto& self = *static_cast<Dialled*>(context);
    self.text = error->text;
    if (connection != nullptr) connection->api->close(connection, SY_CLOSE_FINISHED);
    self.status.set_value(status);
  }

  std::promise<sy_status> status{};
  std::string text{};
};

/// A listening socket that answers nothing by itself.
class Peer {
public:
  Peer() : socket_{::socket(AF_INET, SOCK_STREAM, 0)} {
    auto endpoint = *parse_endpoint("127.0.0.1:0");
    EXPECT_EQ(::bind(socket_, endpoint.data(), static_cast<socklen_t>(endpoint.size())), 0);
    EXPECT_EQ(::listen(socket_, 1), 0);
    auto size = static_cast<socklen_t>(endpoint.capacity());
    ::getsockname(socket_, endpoint.data(), &size);
    address = to_string(endpoint);
  }

  ~Peer() {
    if (socket_ >= 0) ::close(socket_);
  }

  void close() { ::close(std::exchange(socket_, -1)); }

  /// Everything one client says.
  [[nodiscard]] std::string hear() const {
    const int client = ::accept(socket_, nullptr, nullptr);
    std::string heard;
    char byte = 0;
    while (::read(client, &byte, 1) == 1)
      heard += byte;
    ::close(client);
    return heard;
  }

  std::string address;

private:
  int socket_;
};

struct Dial : testing::Test {
  Dial() {
    TlsConfig tls;
    tls.ca = files.ca();
    tls.certificate = files.certificate();
    tls.key = files.key();
    tls.verify_outgoing = true;
    config.tls = tls;
    config.host.data_dir = files.path("data");
    config.listeners.push_back({"server", "127.0.0.1:0", "", false, false, false, {}});
  }

  sy_status dial(sy_dial_tls tls, const std::string& address, const std::string& name = {}) {
    PluginFixture plugin{config};
    sy_dial_options options{};
    options.struct_size = sizeof options;
    options.tls = tls;
    options.tag = 4;
    options.use_certificate = 1;
    options.address = {address.data(), address.size()};
    options.server_name = {name.data(), name.size()};
    options.alpn = {"no/such", 7};
    options.timeout = timeout;
    Dialled dialled;
    sy_status begun = SY_OK;
    plugin.run(
        [&] { begun = kDialService.dial(plugin.host(), &options, &Dialled::done, &dialled); });
    if (begun != SY_OK) return begun;
    const auto status = dialled.status.get_future().get();
    text = dialled.text;
    plugin.run([] {}); // the loop has counted it by now
    EXPECT_EQ(plugin.services().dials, 0U);
    EXPECT_EQ(plugin.services().connections, 0U);
    return status;
  }

  TestCertificates files;
  Config config;
  std::uint64_t timeout = 0;
  std::string text;
};

TEST_F(Dial, WritesTheTagFirst) {
  const Peer peer;
  EXPECT_EQ(dial(SY_DIAL_CLEAR, peer.address), SY_OK);
  EXPECT_EQ(peer.hear(), "\x04");
}

TEST_F(Dial, SaysWhoRefusedIt) {
  Peer peer;
  peer.close();
  EXPECT_EQ(dial(SY_DIAL_CLEAR, peer.address), SY_REFUSED);
  EXPECT_EQ(text, "cannot connect to " + peer.address + ": Connection refused");
}

TEST_F(Dial, ResolvesANameAndTriesEveryAddress) {
  const Peer peer;
  const auto port = peer.address.substr(peer.address.rfind(':'));
  EXPECT_EQ(dial(SY_DIAL_CLEAR, "localhost" + port), SY_OK); // ::1 refuses, 127.0.0.1 answers
  EXPECT_EQ(peer.hear(), "\x04");
}

TEST_F(Dial, TakesNoAddressWithoutAPort) {
  EXPECT_EQ(dial(SY_DIAL_CLEAR, "127.0.0.1"), SY_INVALID);
}

TEST_F(Dial, GivesUpOnAPeerThatDoesNotAnswerTls) {
  const Peer peer;
  timeout = 50'000'000;
  EXPECT_EQ(dial(SY_DIAL_TLS, peer.address), SY_TIMED_OUT);
  EXPECT_EQ(text, "no TLS handshake with " + peer.address + " in time");
}

TEST_F(Dial, SpeaksTlsWithAServerOfOurs) {
  Log log{spdlog::level::off, LogFormat::Plain};
  Server server{config, log};
  const auto problems = server.start();
  ASSERT_TRUE(problems.empty()) << problems.front();
  const auto address = server.bound_address(0);

  EXPECT_EQ(dial(SY_DIAL_TLS, address, "server.dc1.consul"), SY_OK);
  EXPECT_EQ(dial(SY_DIAL_OUTGOING, address), SY_OK);
  EXPECT_EQ(dial(SY_DIAL_INSECURE, address), SY_OK);

  EXPECT_EQ(dial(SY_DIAL_TLS, address, "server.dc2.consul"), SY_REFUSED);
  EXPECT_EQ(text, "TLS handshake with " + address + " failed: hostname mismatch");
  EXPECT_EQ(dial(SY_DIAL_ALPN, address), SY_REFUSED); // no plugin, so no name is routed
  EXPECT_NE(text.find("no application protocol"), std::string::npos) << text;
}

} // namespace
} // namespace switchyard::host

#include <host/listen/endpoint.hpp>
#include <host/log/log.hpp>
#include <host/serve/server.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <tests/host/serve/plugin_fixture.hpp>
#include <tests/host/tls/certificates.hpp>

#include <algorithm>
#include <string>
#include <unistd.h>
#include <vector>

namespace switchyard::host {
namespace {

using namespace std::chrono_literals;

/// How a dial ended. Closes what it got.
struct Dialled {
  static void
  done(void* context, sy_status status, sy_connection* connection, const sy_error* error) {
    auto& self = *static_cast<Dialled*>(context);
    self.text = error->text;
    if (connection != nullptr) {
      sy_connection_info info{};
      info.struct_size = sizeof info;
      connection->api->describe(connection, &info);
      self.tag = info.tag;
      connection->api->close(connection, SY_CLOSE_FINISHED);
    }
    self.status.set_value(status);
  }

  std::promise<sy_status> status{};
  std::string text{};
  std::int32_t tag = 0;
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

  /// Until a client has said something; it stays connected.
  void wait_for_hello() const {
    char byte = 0;
    EXPECT_EQ(::recv(::accept(socket_, nullptr, nullptr), &byte, 1, 0), 1);
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
    PluginFixture plugin{config, look_up};
    Dialled dialled;
    const auto begun = begin(plugin, dialled, tls, address, name);
    return begun == SY_OK ? end(plugin, dialled) : begun;
  }

  sy_status begin(
      PluginFixture& plugin,
      Dialled& dialled,
      sy_dial_tls tls,
      const std::string& address,
      const std::string& name = {}) const {
    sy_status begun = SY_OK;
    plugin.run([&] { begun = begin_here(plugin, dialled, tls, address, name); });
    return begun;
  }

  /// On the loop.
  sy_status begin_here(
      PluginFixture& plugin,
      Dialled& dialled,
      sy_dial_tls tls,
      const std::string& address,
      const std::string& name = {}) const {
    sy_dial_options options{};
    options.struct_size = sizeof options;
    options.tls = tls;
    options.tag = 4;
    options.use_certificate = 1;
    options.address = {address.data(), address.size()};
    options.server_name = {name.data(), name.size()};
    options.alpn = {"no/such", 7};
    options.timeout = timeout;
    return kDialService.dial(plugin.host(), &options, &Dialled::done, &dialled);
  }

  /// Of the last dial there is.
  sy_status end(PluginFixture& plugin, Dialled& dialled) {
    const auto status = dialled.status.get_future().get();
    text = dialled.text;
    tag = dialled.tag;
    plugin.run([] {}); // the loop has counted it by now
    EXPECT_EQ(plugin.services().dials, 0U);
    EXPECT_EQ(plugin.services().connections, 0U);
    return status;
  }

  TestCertificates files;
  Config config;
  std::uint64_t timeout = 0;
  std::string text;
  std::int32_t tag = 0;
  Resolver::LookUp look_up = Resolver::ask_system;
};

/// Name servers that do not answer before they are told to.
class SilentNames {
public:
  explicit SilentNames(Resolver::LookUp& look_up) {
    look_up = [answer = answer_.get_future().share()](auto&, auto&) -> Resolver::Found {
      answer.wait();
      return {};
    };
  }

  ~SilentNames() { answer_.set_value(); }

  SilentNames(const SilentNames&) = delete;
  SilentNames& operator=(const SilentNames&) = delete;

private:
  std::promise<void> answer_;
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

TEST_F(Dial, SaysWhenANameHasNoAddress) {
  look_up = [](auto&, auto&) -> Resolver::Found { return std::string{"no such name"}; };
  EXPECT_EQ(dial(SY_DIAL_CLEAR, "nowhere.test:80"), SY_NOT_FOUND);
  EXPECT_EQ(text, "no address for nowhere.test:80: no such name");
}

TEST_F(Dial, KeepsItsLimitDuringALookup) {
  const SilentNames silent{look_up};
  timeout = 50'000'000;
  EXPECT_EQ(dial(SY_DIAL_CLEAR, "slow.test:80"), SY_TIMED_OUT);
  EXPECT_EQ(text, "no address for slow.test in time");
}

TEST_F(Dial, RefusesANameBehindTooManyOthers) {
  const SilentNames silent{look_up};
  PluginFixture plugin{config, look_up};
  std::vector<Dialled> dials(Resolver::kThreadsMax + Resolver::kWaitingMax + 1);
  for (auto& each : dials)
    ASSERT_EQ(begin(plugin, each, SY_DIAL_CLEAR, "slow.test:80"), SY_OK);
  std::vector<std::future<sy_status>> waits;
  for (auto& each : dials)
    waits.push_back(each.status.get_future());
  const auto ended = [](auto& wait) { return wait.wait_for(0s) == std::future_status::ready; };
  while (std::ranges::none_of(waits, ended))
    plugin.run([] {});

  plugin.services().draining = true;
  plugin.services().cancel_dials();
  std::vector<sy_status> ends;
  for (auto& wait : waits)
    ends.push_back(wait.get());
  EXPECT_THAT(ends, testing::Contains(SY_LIMIT));
  EXPECT_THAT(ends, testing::Contains(SY_CANCELLED).Times(testing::Ge(Resolver::kWaitingMax)));
}

TEST_F(Dial, IsCancelledDuringALookup) {
  const SilentNames silent{look_up};
  PluginFixture plugin{config, look_up};
  Dialled dialled;
  ASSERT_EQ(begin(plugin, dialled, SY_DIAL_CLEAR, "slow.test:80"), SY_OK);
  plugin.run([&] { kDialService.cancel(plugin.host(), &dialled); });
  EXPECT_EQ(end(plugin, dialled), SY_CANCELLED);
  EXPECT_EQ(text, "the plugin has cancelled it");
  plugin.run([&] { kDialService.cancel(plugin.host(), &dialled); }); // too late for anything
}

TEST_F(Dial, IsCancelledBeforeItHasBegun) {
  const Peer peer;
  PluginFixture plugin{config};
  Dialled dialled;
  plugin.run([&] {
    ASSERT_EQ(begin_here(plugin, dialled, SY_DIAL_TLS, peer.address), SY_OK);
    kDialService.cancel(plugin.host(), &dialled);
  });
  EXPECT_EQ(end(plugin, dialled), SY_CANCELLED);
}

TEST_F(Dial, IsCancelledDuringAHandshake) {
  const Peer peer;
  PluginFixture plugin{config};
  Dialled dialled;
  ASSERT_EQ(begin(plugin, dialled, SY_DIAL_TLS, peer.address), SY_OK);
  peer.wait_for_hello();
  auto wait = dialled.status.get_future();
  plugin.run([&] { kDialService.cancel(plugin.host(), &timeout); }); // no dial's context
  EXPECT_EQ(wait.wait_for(0s), std::future_status::timeout);
  plugin.run([&] { kDialService.cancel(plugin.host(), &dialled); });
  EXPECT_EQ(wait.get(), SY_CANCELLED);
}

// A plugin's stop() finds no dial, whatever the names or peers do.
TEST_F(Dial, EndsWhenItsPluginDrains) {
  const SilentNames silent{look_up};
  const Peer peer;
  PluginFixture plugin{config, look_up};
  Dialled looking_up;
  Dialled shaking_hands;
  ASSERT_EQ(begin(plugin, looking_up, SY_DIAL_CLEAR, "slow.test:80"), SY_OK);
  ASSERT_EQ(begin(plugin, shaking_hands, SY_DIAL_TLS, peer.address), SY_OK);
  EXPECT_FALSE(plugin.services().dials_ended({}));

  plugin.services().draining = true;
  plugin.services().cancel_dials();
  EXPECT_TRUE(plugin.services().dials_ended(std::chrono::steady_clock::now() + 60s));
  EXPECT_EQ(end(plugin, looking_up), SY_CANCELLED);
  EXPECT_EQ(text, "the plugin is draining");
  EXPECT_EQ(end(plugin, shaking_hands), SY_CANCELLED);
  Dialled refused;
  EXPECT_EQ(begin(plugin, refused, SY_DIAL_CLEAR, peer.address), SY_CANCELLED);
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
  EXPECT_EQ(tag, 4);
  EXPECT_EQ(dial(SY_DIAL_INSECURE, address), SY_OK);
  EXPECT_EQ(tag, SY_DIAL_NO_TAG) << "the server reads no inner tag";

  EXPECT_EQ(dial(SY_DIAL_TLS, address, "server.dc2.consul"), SY_REFUSED);
  EXPECT_EQ(text, "TLS handshake with " + address + " failed: hostname mismatch");
  EXPECT_EQ(dial(SY_DIAL_ALPN, address), SY_REFUSED); // no plugin, so no name is routed
  EXPECT_NE(text.find("no application protocol"), std::string::npos) << text;
}

} // namespace
} // namespace switchyard::host

#include <host/tls/contexts.hpp>
#include <host/tls/session.hpp>

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <sys/socket.h>
#include <tests/host/tls/certificates.hpp>

#include <fcntl.h>
#include <fstream>
#include <memory>
#include <unistd.h>
#include <utility>

namespace switchyard::host {
namespace {

using Step = TlsSession::Step;

struct Pair {
  Pair() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0); }

  ~Pair() {
    ::close(ends[0]);
    ::close(ends[1]);
  }

  int ends[2]{};
};

/// Both sides step in turn until each has ended or neither moves.
std::pair<Step, Step> shake_hands(TlsSession& server, TlsSession& client) {
  auto ends = std::pair{Step::WantRead, Step::WantRead};
  for (int turn = 0; turn < 10; ++turn) {
    if (ends.second == Step::WantRead) ends.second = client.handshake();
    if (ends.first == Step::WantRead) ends.first = server.handshake();
  }
  return ends;
}

struct Tls : testing::Test {
  TestCertificates files;
  TlsConfig config{files.ca(), files.certificate(), files.key(), false, false, {}};

  [[nodiscard]] std::shared_ptr<const TlsContexts> load() {
    auto contexts = TlsContexts::load(&config, {"consul/rpc-multi", "consul/rpc-single"});
    EXPECT_TRUE(contexts) << contexts.error();
    return *contexts;
  }
};

TEST_F(Tls, NamesTheFileThatIsWrong) {
  std::ofstream{files.path("empty.pem")};
  files.issue("other", "other");

  const struct {
    const char* name;
    std::string TlsConfig::*field;
    std::string value;
    std::string sentence;
  } cases[] = {
      {"no certificate file",
       &TlsConfig::certificate,
       files.path("none.pem"),
       "tls.certificate: cannot use "},
      {"empty certificate file",
       &TlsConfig::certificate,
       files.path("empty.pem"),
       "tls.certificate: cannot use "},
      {"no key file", &TlsConfig::key, files.path("none.pem"), "tls.key: cannot use "},
      {"no CA file", &TlsConfig::ca, files.path("none.pem"), "tls.ca: cannot use "},
      {"another's key", &TlsConfig::key, files.path("other-key.pem"), "tls.key: "},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    auto wrong = config;
    wrong.*c.field = c.value;
    const auto contexts = TlsContexts::load(&wrong, {});
    ASSERT_FALSE(contexts);
    EXPECT_EQ(contexts.error().substr(0, c.sentence.size()), c.sentence);
    EXPECT_NE(contexts.error().find(c.value), std::string::npos) << contexts.error();
  }
}

TEST_F(Tls, SaysWhatIsWrongWithAKey) {
  const auto sentence = [&](const std::string& key) {
    auto wrong = config;
    wrong.key = key;
    return TlsContexts::load(&wrong, {}).error();
  };
  const auto none = files.path("none.pem");
  EXPECT_EQ(sentence(none), "tls.key: cannot use " + none + ": No such file or directory");

  // Asked for on the terminal, the password would keep a server from starting or reloading.
  const auto locked = files.path("locked.pem");
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{
      EVP_EC_gen("P-256"), &EVP_PKEY_free};
  const std::unique_ptr<BIO, decltype(&BIO_free)> file{
      BIO_new_file(locked.c_str(), "w"), &BIO_free};
  ASSERT_EQ(
      PEM_write_bio_PKCS8PrivateKey(
          file.get(), key.get(), EVP_aes_256_cbc(), "secret", 6, nullptr, nullptr),
      1);
  ASSERT_EQ(BIO_flush(file.get()), 1);
  EXPECT_EQ(
      sentence(locked),
      "tls.key: cannot use " + locked + ": it holds no private key in PEM without a password");
}

TEST_F(Tls, ChoosesTheFirstOfOurNamesThatIsOffered) {
  const auto contexts = load();
  const Pair pair;
  TlsSession server{contexts->server(ServerTls::Native), pair.ends[0], TlsSession::Role::Server};
  TlsSession client{contexts->client(true), pair.ends[1], TlsSession::Role::Client};
  client.ask_for("server.dc1.consul", "consul/rpc-single");
  EXPECT_EQ(shake_hands(server, client), (std::pair{Step::Done, Step::Done}));
  EXPECT_EQ(server.alpn(), "consul/rpc-single");
  EXPECT_EQ(server.server_name(), "server.dc1.consul");
  EXPECT_EQ(server.peer_names(), "server.dc1.consul");
}

TEST_F(Tls, RefusesAnUnknownAlpnName) {
  const auto contexts = load();
  const Pair pair;
  TlsSession server{contexts->server(ServerTls::Native), pair.ends[0], TlsSession::Role::Server};
  TlsSession client{contexts->client(true), pair.ends[1], TlsSession::Role::Client};
  client.ask_for("", "h2");
  EXPECT_EQ(shake_hands(server, client), (std::pair{Step::Failed, Step::Failed}));
}

TEST_F(Tls, AsksForACertificateOnlyWhereTheRulesSay) {
  const struct {
    const char* name;
    ServerTls kind;
    bool verify_incoming;
    bool accepted;
  } cases[] = {
      {"tagged", ServerTls::Tagged, false, true},
      {"tagged, verified", ServerTls::Tagged, true, false},
      {"native", ServerTls::Native, false, false},
      {"insecure", ServerTls::Insecure, true, true},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    config.verify_incoming = c.verify_incoming;
    const auto contexts = load();
    const Pair pair;
    TlsSession server{contexts->server(c.kind), pair.ends[0], TlsSession::Role::Server};
    TlsSession client{contexts->client(false), pair.ends[1], TlsSession::Role::Client};
    EXPECT_EQ(shake_hands(server, client).first, c.accepted ? Step::Done : Step::Failed);
    EXPECT_EQ(server.peer_names(), "");
  }
}

TEST_F(Tls, TreatsAListenersClientsByItsOwnTerms) {
  const auto contexts = TlsContexts::load(
      &config,
      {"consul/rpc-multi"},
      {{}, ListenerTls{false, {"h2", "x/other"}}, ListenerTls{true, {}}});
  ASSERT_TRUE(contexts) << contexts.error();

  const struct {
    const char* name;
    std::size_t listener;
    bool certificate;
    std::string offered;
    bool accepted;
    std::string agreed;
  } cases[] = {
      {"a name of it", 1, false, "h2", true, "h2"},
      {"its other name", 1, false, "x/other", true, "x/other"},
      {"no name", 1, false, "", true, ""},
      {"a name of nobody", 1, false, "http/1.1", false, ""},
      {"a name that is routed elsewhere", 1, false, "consul/rpc-multi", false, ""},
      {"no name of its own", 2, true, "h2", true, ""},
      {"no certificate", 2, false, "", false, ""},
      {"a certificate", 2, true, "", true, ""},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const Pair pair;
    TlsSession server{(*contexts)->listener(c.listener), pair.ends[0], TlsSession::Role::Server};
    TlsSession client{(*contexts)->client(c.certificate), pair.ends[1], TlsSession::Role::Client};
    client.ask_for("", c.offered);
    EXPECT_EQ(shake_hands(server, client).first, c.accepted ? Step::Done : Step::Failed);
    EXPECT_EQ(server.alpn(), c.agreed);
  }
}

TEST_F(Tls, RefusesEveryoneWhereItMustVerifyAndTrustsNobody) {
  config.ca.clear();
  const auto contexts = TlsContexts::load(&config, {}, {ListenerTls{true, {}}});
  ASSERT_TRUE(contexts) << contexts.error();
  config.ca = files.ca();
  const auto clients = load();
  for (const bool certificate : {false, true}) {
    const Pair pair;
    TlsSession server{(*contexts)->listener(0), pair.ends[0], TlsSession::Role::Server};
    TlsSession client{clients->client(certificate), pair.ends[1], TlsSession::Role::Client};
    EXPECT_EQ(shake_hands(server, client).first, Step::Failed);
  }
}

TEST_F(Tls, FailsEveryHandshakeWithoutACertificate) {
  const auto contexts = TlsContexts::load(nullptr, {});
  ASSERT_TRUE(contexts);
  EXPECT_FALSE((*contexts)->mutual());
  const Pair pair;
  TlsSession server{(*contexts)->server(ServerTls::Tagged), pair.ends[0], TlsSession::Role::Server};
  const auto clients = load();
  TlsSession client{clients->client(false), pair.ends[1], TlsSession::Role::Client};
  EXPECT_EQ(shake_hands(server, client), (std::pair{Step::Failed, Step::Failed}));
  EXPECT_NE(client.error().find("unrecognized name"), std::string::npos) << client.error();
}

TEST_F(Tls, TrustsTheRootsItIsGivenAndNoOthers) {
  const TestCertificates strangers;
  const auto contexts = load();
  std::ifstream file{files.ca()};
  const std::string roots{std::istreambuf_iterator<char>{file}, {}};
  std::ifstream other{strangers.ca()};
  const std::string wrong{std::istreambuf_iterator<char>{other}, {}};

  EXPECT_EQ(contexts->new_client("not PEM", false), nullptr);
  for (const auto& [pem, accepted] : {std::pair{roots, true}, std::pair{wrong, false}}) {
    const Pair pair;
    const auto context = contexts->new_client(pem, false);
    ASSERT_NE(context, nullptr);
    TlsSession server{contexts->server(ServerTls::Tagged), pair.ends[0], TlsSession::Role::Server};
    TlsSession client{context.get(), pair.ends[1], TlsSession::Role::Client};
    EXPECT_EQ(shake_hands(server, client).second, accepted ? Step::Done : Step::Failed);
  }
}

TEST_F(Tls, VerifiesTheNameItAskedFor) {
  const auto contexts = load();
  const Pair pair;
  TlsSession server{contexts->server(ServerTls::Tagged), pair.ends[0], TlsSession::Role::Server};
  TlsSession client{contexts->client(false), pair.ends[1], TlsSession::Role::Client};
  client.ask_for("server.dc2.consul", "");
  EXPECT_EQ(shake_hands(server, client).second, Step::Failed);
}

} // namespace
} // namespace switchyard::host

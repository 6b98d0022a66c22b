#include <host/command/certificate.hpp>

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <memory>

namespace switchyard::host {
namespace {

constexpr std::time_t kNow = 1'800'000'000; // 2027-01-15 08:00:00 UTC
constexpr std::time_t kDay = 86'400;

struct Free {
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }

  void operator()(X509_STORE* store) const noexcept { X509_STORE_free(store); }

  void operator()(X509_STORE_CTX* context) const noexcept { X509_STORE_CTX_free(context); }

  void operator()(BIO* bio) const noexcept { BIO_free(bio); }

  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};

using X509Ptr = std::unique_ptr<X509, Free>;

X509Ptr read(const std::string& pem) {
  const std::unique_ptr<BIO, Free> bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
  return X509Ptr{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)};
}

/// What OpenSSL, as strict as it can be, says about `certificate` at a time and for a purpose.
std::string verify(
    const Certificate& authority, const Certificate& certificate, int purpose, std::time_t when) {
  const auto root = read(authority.certificate);
  const auto leaf = read(certificate.certificate);
  const std::unique_ptr<X509_STORE, Free> store{X509_STORE_new()};
  X509_STORE_add_cert(store.get(), root.get());
  const std::unique_ptr<X509_STORE_CTX, Free> context{X509_STORE_CTX_new()};
  X509_STORE_CTX_init(context.get(), store.get(), leaf.get(), nullptr);
  X509_STORE_CTX_set_flags(context.get(), X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
  X509_STORE_CTX_set_time(context.get(), 0, when);
  X509_STORE_CTX_set_purpose(context.get(), purpose);
  X509_verify_cert(context.get());
  return X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
}

std::string verify(const Certificate& authority, const Certificate& certificate, int purpose) {
  return verify(authority, certificate, purpose, kNow);
}

TEST(Certificate, IsGoodForBothSidesOfAServer) {
  const auto authority = make_authority(kNow, 100);
  ASSERT_TRUE(authority) << authority.error().text;
  const auto server = make_certificate(*authority, server_subject("s1", "dc1", "consul"), kNow, 10);
  ASSERT_TRUE(server) << server.error().text;

  EXPECT_EQ(verify(*authority, *server, X509_PURPOSE_SSL_SERVER), "ok");
  EXPECT_EQ(verify(*authority, *server, X509_PURPOSE_SSL_CLIENT), "ok");
  EXPECT_EQ(end_of(server->certificate), "2027-01-25 08:00:00 UTC");
}

TEST(Certificate, CarriesTheNamesAgentsLookFor) {
  const auto authority = make_authority(kNow, 100);
  ASSERT_TRUE(authority) << authority.error().text;
  const auto server =
      make_certificate(*authority, server_subject("s1", "dc2", "example"), kNow, 10);
  ASSERT_TRUE(server) << server.error().text;

  const auto leaf = read(server->certificate);
  for (const auto* name : {"server.dc2.example", "s1.server.dc2.example", "localhost"}) {
    EXPECT_EQ(X509_check_host(leaf.get(), name, 0, 0, nullptr), 1) << name;
  }
  for (const auto* name : {"server.dc1.example", "s2.server.dc2.example", "dc2.example"}) {
    EXPECT_EQ(X509_check_host(leaf.get(), name, 0, 0, nullptr), 0) << name;
  }
  EXPECT_EQ(X509_check_ip_asc(leaf.get(), "127.0.0.1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(leaf.get(), "::1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(leaf.get(), "127.0.0.2", 0), 0);
}

TEST(Certificate, OfAClientIsNoServers) {
  const auto authority = make_authority(kNow, 100);
  ASSERT_TRUE(authority) << authority.error().text;
  const auto client = make_certificate(*authority, {"operator", {"operator"}, {}, false}, kNow, 10);
  ASSERT_TRUE(client) << client.error().text;
  EXPECT_EQ(verify(*authority, *client, X509_PURPOSE_SSL_CLIENT), "ok");
  EXPECT_NE(verify(*authority, *client, X509_PURPOSE_SSL_SERVER), "ok");
}

TEST(Certificate, IsValidForItsDaysButNotBeyondItsAuthority) {
  const auto authority = make_authority(kNow, 5);
  ASSERT_TRUE(authority) << authority.error().text;
  const auto server = make_certificate(*authority, server_subject("s1", "dc1", "consul"), kNow, 10);
  ASSERT_TRUE(server) << server.error().text;

  const auto purpose = X509_PURPOSE_SSL_SERVER;
  EXPECT_EQ(verify(*authority, *server, purpose, kNow - 60), "ok") << "a clock that is slow";
  EXPECT_EQ(verify(*authority, *server, purpose, kNow - 3600), "certificate is not yet valid");
  EXPECT_EQ(verify(*authority, *server, purpose, kNow + 5 * kDay - 1), "ok");
  EXPECT_EQ(end_of(server->certificate), end_of(authority->certificate));
}

TEST(Certificate, TakesALongName) {
  const auto authority = make_authority(kNow, 5);
  ASSERT_TRUE(authority) << authority.error().text;
  const std::string node(63, 'n');
  const auto server = make_certificate(
      *authority, server_subject(node, std::string(63, 'd'), "example.com"), kNow, 1);
  ASSERT_TRUE(server) << server.error().text;
  const auto name = node + ".server." + std::string(63, 'd') + ".example.com";
  EXPECT_EQ(X509_check_host(read(server->certificate).get(), name.c_str(), 0, 0, nullptr), 1);
}

TEST(Certificate, NeedsAnAuthorityThatIsOne) {
  const auto one = make_authority(kNow, 5);
  const auto other = make_authority(kNow, 5);
  ASSERT_TRUE(one && other);
  const auto subject = server_subject("s1", "dc1", "consul");
  const auto server = make_certificate(*one, subject, kNow, 1);
  ASSERT_TRUE(server) << server.error().text;

  const struct {
    Certificate authority;
    std::time_t now;
    std::string_view sentence;
  } cases[] = {
      {{"", one->key}, kNow, "the authority's file holds no certificate in PEM"},
      {{one->certificate, "secret"},
       kNow,
       "the authority's key file holds no private key in PEM without a password"},
      {{one->certificate, other->key},
       kNow,
       "the authority's certificate and key do not belong together"},
      {*server, kNow, "the authority's certificate is not one of an authority"},
      {*one, kNow + 6 * kDay, "the authority's certificate has expired"},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.sentence);
    const auto made = make_certificate(c.authority, subject, c.now, 1);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().text, c.sentence);
  }
  EXPECT_NE(verify(*other, *server, X509_PURPOSE_SSL_SERVER), "ok") << "authorities are told apart";
}

} // namespace
} // namespace switchyard::host

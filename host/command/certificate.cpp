#include "certificate.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <memory>

namespace switchyard::host {
namespace {

// A peer whose clock is a little slow accepts the certificate too.
constexpr std::time_t kClockSkew = 300;
constexpr long kVersion3 = 2;              // source: RFC 5280 §4.1.2.1
constexpr std::size_t kCommonNameMax = 64; // source: RFC 5280, ub-common-name

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};

using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, Freed<X509_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;

Bio reading(const std::string& pem) {
  return Bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
}

X509Ptr certificate_of(const std::string& pem) {
  return X509Ptr{PEM_read_bio_X509(reading(pem).get(), nullptr, nullptr, nullptr)};
}

Key key_of(const std::string& pem) {
  std::string password; // given, so that nobody is asked for one
  return Key{PEM_read_bio_PrivateKey(reading(pem).get(), nullptr, nullptr, password.data())};
}

/// What `write(bio)` writes; empty when it fails.
template <class Write>
std::string written(const Write& write) {
  const Bio bio{BIO_new(BIO_s_mem())};
  if (!bio || write(bio.get()) != 1) return {};
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

Certificate to_pem(X509* certificate, EVP_PKEY* key) {
  return {
      written([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); }),
      written([&](BIO* bio) {
        return PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
      })};
}

bool set_random_serial(X509* certificate) {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), bytes.size()) != 1) return false;
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7f) | 0x40); // positive, and never short
  const Number number{BN_bin2bn(bytes.data(), bytes.size(), nullptr)};
  return BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_common_name(X509* certificate, const std::string& name) {
  const auto* text = reinterpret_cast<const unsigned char*>(name.data());
  return X509_NAME_add_entry_by_NID(
             X509_get_subject_name(certificate),
             NID_commonName,
             MBSTRING_UTF8,
             text,
             static_cast<int>(name.size()),
             -1,
             0) == 1;
}

/// Valid for `days` from `now`, but not beyond `issuer`.
bool set_validity(X509* certificate, X509* issuer, std::time_t now, int days) {
  auto* end = X509_getm_notAfter(certificate);
  if (ASN1_TIME_set(X509_getm_notBefore(certificate), now - kClockSkew) == nullptr) return false;
  if (ASN1_TIME_adj(end, now, days, 0) == nullptr) return false;
  const auto* issuer_end = X509_get0_notAfter(issuer);
  if (issuer == certificate || ASN1_TIME_compare(end, issuer_end) <= 0) return true;
  return X509_set1_notAfter(certificate, issuer_end) == 1;
}

bool add_extension(X509* certificate, X509* issuer, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension{X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str())};
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

std::string alternative_names(const CertificateSubject& subject) {
  std::string names;
  for (const auto& dns : subject.dns)
    names += (names.empty() ? "DNS:" : ",DNS:") + dns;
  for (const auto& ip : subject.addresses)
    names += (names.empty() ? "IP:" : ",IP:") + ip;
  return names;
}

/// A certificate with a key and a serial of its own, not yet signed.
struct Draft {
  X509Ptr certificate{X509_new()};
  Key key{EVP_EC_gen("P-256")};

  [[nodiscard]] bool begin(const std::string& name, X509* issuer, std::time_t now, int days) const {
    auto* draft = certificate.get();
    return draft != nullptr && key && X509_set_version(draft, kVersion3) == 1 &&
           set_random_serial(draft) && set_common_name(draft, name) &&
           X509_set_issuer_name(draft, X509_get_subject_name(issuer)) == 1 &&
           set_validity(draft, issuer, now, days) && X509_set_pubkey(draft, key.get()) == 1 &&
           add_extension(draft, issuer, NID_subject_key_identifier, "hash");
  }
};

std::string authority_name() {
  std::array<unsigned char, 4> random{};
  RAND_bytes(random.data(), random.size());
  constexpr char kHex[] = "0123456789abcdef";
  std::string name = "switchyard CA ";
  for (const auto byte : random) {
    name += kHex[byte >> 4];
    name += kHex[byte & 15];
  }
  return name;
}

} // namespace

OrFailure<Certificate> make_authority(std::time_t now, int days) {
  const Draft draft;
  auto* authority = draft.certificate.get();
  const auto made =
      draft.begin(authority_name(), authority, now, days) &&
      add_extension(authority, authority, NID_authority_key_identifier, "keyid:always") &&
      add_extension(authority, authority, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
      add_extension(authority, authority, NID_key_usage, "critical,keyCertSign,cRLSign") &&
      X509_sign(authority, draft.key.get(), EVP_sha256()) > 0;
  if (!made) return CertificateFailure{"the certificate authority cannot be made"};
  return to_pem(authority, draft.key.get());
}

OrFailure<Certificate> make_certificate(
    const Certificate& authority, const CertificateSubject& subject, std::time_t now, int days) {
  const auto issuer = certificate_of(authority.certificate);
  const auto issuer_key = key_of(authority.key);
  if (!issuer) return CertificateFailure{"the authority's file holds no certificate in PEM"};
  if (!issuer_key)
    return CertificateFailure{
        "the authority's key file holds no private key in PEM without a password"};
  if (X509_check_private_key(issuer.get(), issuer_key.get()) != 1) {
    return CertificateFailure{"the authority's certificate and key do not belong together"};
  }
  if (X509_check_ca(issuer.get()) != 1)
    return CertificateFailure{"the authority's certificate is not one of an authority"};
  if (X509_cmp_time(X509_get0_notAfter(issuer.get()), &now) <= 0) {
    return CertificateFailure{"the authority's certificate has expired"};
  }

  const Draft draft;
  auto* certificate = draft.certificate.get();
  const auto* usage = subject.server ? "serverAuth,clientAuth" : "clientAuth";
  const auto name = subject.common_name.substr(0, kCommonNameMax);
  const auto made =
      draft.begin(name, issuer.get(), now, days) &&
      add_extension(certificate, issuer.get(), NID_authority_key_identifier, "keyid:always") &&
      add_extension(certificate, issuer.get(), NID_basic_constraints, "critical,CA:FALSE") &&
      add_extension(certificate, issuer.get(), NID_key_usage, "critical,digitalSignature") &&
      add_extension(certificate, issuer.get(), NID_ext_key_usage, usage) &&
      add_extension(certificate, issuer.get(), NID_subject_alt_name, alternative_names(subject)) &&
      X509_sign(certificate, issuer_key.get(), EVP_sha256()) > 0;
  if (!made)
    return CertificateFailure{"the certificate for " + subject.common_name + " cannot be made"};
  return to_pem(certificate, draft.key.get());
}

CertificateSubject
server_subject(const std::string& node, const std::string& dc, const std::string& domain) {
  const auto server = "server." + dc + "." + domain;
  return {server, {server, node + "." + server, "localhost"}, {"127.0.0.1", "::1"}, true};
}

std::string end_of(const std::string& pem) {
  const auto certificate = certificate_of(pem);
  std::tm end{};
  if (!certificate || ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &end) != 1) return {};
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &end)};
}

} // namespace switchyard::host

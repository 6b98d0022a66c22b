#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <tests/host/tls/certificates.hpp>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>

namespace switchyard::host {

namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

template <class Write>
void write_pem(const std::string& path, Write write) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr) throw std::runtime_error{path};
  write(file);
  std::fclose(file);
}

void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate make(EVP_PKEY* key, const std::string& name, X509* issuer, EVP_PKEY* issuer_key) {
  static long serial = 1;
  Certificate certificate{X509_new(), &X509_free};
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3'600);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(
      X509_get_subject_name(certificate.get()),
      "CN",
      MBSTRING_ASC,
      reinterpret_cast<const unsigned char*>(name.c_str()),
      -1,
      -1,
      0);
  X509* signer = issuer != nullptr ? issuer : certificate.get();
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer));
  if (issuer == nullptr) {
    extend(certificate.get(), signer, NID_basic_constraints, "critical,CA:TRUE");
  } else {
    extend(certificate.get(), signer, NID_subject_alt_name, "DNS:" + name);
  }
  X509_sign(certificate.get(), issuer_key, EVP_sha256());
  return certificate;
}

} // namespace

struct TestCertificates::Authority {
  Key key{EVP_EC_gen("P-256"), &EVP_PKEY_free};
  Certificate certificate{make(key.get(), "test CA", nullptr, key.get())};
};

TestCertificates::TestCertificates() : authority_{new Authority} {
  std::string pattern = (std::filesystem::temp_directory_path() / "switchyard-tls-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{pattern};
  directory_ = pattern;
  write_pem(ca(), [this](std::FILE* file) { PEM_write_X509(file, authority_->certificate.get()); });
  issue("server", "server.dc1.consul");
}

TestCertificates::~TestCertificates() {
  std::filesystem::remove_all(directory_);
  delete authority_;
}

void TestCertificates::issue(const std::string& name, const std::string& dns) {
  const Key key{EVP_EC_gen("P-256"), &EVP_PKEY_free};
  const auto certificate =
      make(key.get(), dns, authority_->certificate.get(), authority_->key.get());
  write_pem(path(name + ".pem"), [&](std::FILE* file) { PEM_write_X509(file, certificate.get()); });
  write_pem(path(name + "-key.pem"), [&](std::FILE* file) {
    PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

} // namespace switchyard::host

#include <host/plugin/trust.hpp>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <memory>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace switchyard::host {

namespace {

using enum RefusalCode;

struct Free {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }

  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }

  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

using Key = std::unique_ptr<EVP_PKEY, Free>;
using Context = std::unique_ptr<EVP_MD_CTX, Free>;

/// Nobody is there to type a password.
int no_password(char*, int, int, void*) {
  return -1;
}

using ReadPem = EVP_PKEY* (*)(std::FILE*, EVP_PKEY**, pem_password_cb*, void*);

/// Does not wait for somebody to write into a pipe; who can write a public key decides what runs.
boost::system::result<Key, std::string>
read_key(const std::string& path, ReadPem read, const char* kind) {
  const int opened = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (opened < 0) return std::generic_category().message(errno);
  const std::unique_ptr<std::FILE, Free> file{::fdopen(opened, "r")};

  struct stat found {};

  if (!file || ::fstat(opened, &found) != 0) return std::generic_category().message(errno);
  if (!S_ISREG(found.st_mode)) return std::string{"it is no regular file"};
  if (found.st_uid != 0 && found.st_uid != ::geteuid())
    return "it belongs to user " + std::to_string(found.st_uid);
  if ((found.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return std::string{"others than its owner can write it: chmod go-w"};
  Key key{read(file.get(), nullptr, &no_password, nullptr)};
  ERR_clear_error();
  if (!key) return std::string{"it holds no "} + kind + " key in PEM";
  if (EVP_PKEY_get_id(key.get()) != EVP_PKEY_ED25519) return std::string{"it is no Ed25519 key"};
  return key;
}

const unsigned char* bytes_of(const void* data) {
  return static_cast<const unsigned char*>(data);
}

bool verifies(EVP_PKEY* key, const TrustEvidence& evidence) {
  const Context context{EVP_MD_CTX_new()};
  const auto good = EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) == 1 &&
                    EVP_DigestVerify(
                        context.get(),
                        bytes_of(evidence.signature.data()),
                        evidence.signature.size(),
                        bytes_of(evidence.bytes.data()),
                        evidence.bytes.size()) == 1;
  ERR_clear_error();
  return good;
}

} // namespace

OrRefusal<void>
judge_trust(std::string_view plugin, const TrustEvidence& evidence, const TrustTerms& terms) {
  if (!terms.sha256.empty() && terms.sha256 != evidence.sha256) {
    return refuse(
        PinDiffers, plugin, {evidence.path, evidence.sha256, terms.sha256_place, terms.sha256});
  }
  if (terms.keys.empty()) return {};
  if (evidence.signature.empty())
    return refuse(SignatureMissing, plugin, {evidence.path, evidence.path});
  if (evidence.signature.size() != kSignatureSize) {
    return refuse(
        SignatureMalformed,
        plugin,
        {evidence.path, std::to_string(evidence.signature.size()), std::to_string(kSignatureSize)});
  }
  bool good = false;
  for (const auto& file : terms.keys) {
    const auto key = read_key(file, &PEM_read_PUBKEY, "public");
    if (!key) return refuse(KeyUnusable, plugin, {file, key.error()});
    good |= verifies(key->get(), evidence);
  }
  if (!good) return refuse(SignatureWrong, plugin, {evidence.path});
  return {};
}

boost::system::result<std::string, KeyFault>
sign(std::span<const std::byte> bytes, const std::string& key_file) {
  const auto key = read_key(key_file, &PEM_read_PrivateKey, "private");
  if (!key) return KeyFault{key.error()};
  const Context context{EVP_MD_CTX_new()};
  std::string signature(kSignatureSize, '\0');
  auto size = signature.size();
  if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key->get()) != 1 ||
      EVP_DigestSign(
          context.get(),
          reinterpret_cast<unsigned char*>(signature.data()),
          &size,
          bytes_of(bytes.data()),
          bytes.size()) != 1 ||
      size != kSignatureSize) {
    ERR_clear_error();
    return KeyFault{"OpenSSL cannot sign with it"};
  }
  return {boost::system::in_place_value, std::move(signature)};
}

} // namespace switchyard::host

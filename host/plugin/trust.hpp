#pragma once

#include <host/plugin/refusal.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard::host {

/// Bytes of an Ed25519 signature. Source: RFC 8032, 5.1.6.
inline constexpr std::size_t kSignatureSize = 64;

/// What the operator wants of the bytes of a plugin before any of them runs.
struct TrustTerms {
  std::string sha256;            ///< of the only file that is taken, in hex; empty: any
  std::string sha256_place;      ///< "plugins.toml:12"
  std::vector<std::string> keys; ///< PEM files of Ed25519 public keys; empty: no signature is asked
};

/// The bytes that are to run, and what came beside them.
struct TrustEvidence {
  std::string_view path;            ///< what the sentence calls the file
  std::span<const std::byte> bytes; ///< of the staged copy
  std::string_view sha256;          ///< of the same
  std::string_view signature;       ///< contents of path.sig, 64 bytes; empty: there is none
};

/// Judges the bytes of `plugin`, not a path: what it takes is what is mapped afterwards.
[[nodiscard]] OrRefusal<void>
judge_trust(std::string_view plugin, const TrustEvidence& evidence, const TrustTerms& terms);

/// Why a key cannot be used: a clause.
struct KeyFault {
  std::string clause;
};

/// The signature of bytes by the private key of a PEM file.
[[nodiscard]] boost::system::result<std::string, KeyFault>
sign(std::span<const std::byte> bytes, const std::string& key_file);

} // namespace switchyard::host

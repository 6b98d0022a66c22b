#pragma once

#include <boost/system/result.hpp>

#include <ctime>
#include <string>
#include <vector>

namespace switchyard::host {

/// A certificate and its private key (P-256), both PEM.
struct Certificate {
  std::string certificate;
  std::string key;
};

/// Who a certificate is for.
struct CertificateSubject {
  std::string common_name;
  std::vector<std::string> dns;       ///< subjectAltName
  std::vector<std::string> addresses; ///< subjectAltName; "127.0.0.1", "::1"
  bool server = false; ///< also good for the server's side of TLS, not only for a client's
};

/// Why there is no certificate, in one sentence for the operator.
struct CertificateFailure {
  std::string text;
};

template <class T>
using OrFailure = boost::system::result<T, CertificateFailure>;

/// Makes a certificate authority that signs itself, valid for `days` from `now`. Its name is
/// unique, so that chains of two of them are told apart.
[[nodiscard]] OrFailure<Certificate> make_authority(std::time_t now, int days);

/// Makes a certificate signed by `authority`, valid for `days` from `now` but not beyond its
/// authority. Fails when the authority's certificate and key do not belong together or it is none.
[[nodiscard]] OrFailure<Certificate> make_certificate(
    const Certificate& authority, const CertificateSubject& subject, std::time_t now, int days);

/// The names under which agents look for a server: "server.<dc>.<domain>" (verify_server_hostname),
/// "<node>.server.<dc>.<domain>" (SNI of native TLS), and this machine's own.
[[nodiscard]] CertificateSubject
server_subject(const std::string& node, const std::string& dc, const std::string& domain);

/// When a certificate ends: "2027-11-22 15:20:00 UTC". Empty when `pem` holds none.
[[nodiscard]] std::string end_of(const std::string& pem);

} // namespace switchyard::host

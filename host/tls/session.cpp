#include <host/tls/session.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <new>

namespace switchyard::host {

namespace {

std::string reason_of_failure(const SSL* ssl, int error) {
  const long verdict = SSL_get_verify_result(ssl);
  if (verdict != X509_V_OK) return X509_verify_cert_error_string(verdict);
  if (const auto code = ERR_peek_last_error(); code != 0) {
    const char* text = ERR_reason_error_string(code);
    return text != nullptr ? text : "TLS error " + std::to_string(ERR_GET_REASON(code));
  }
  if (error == SSL_ERROR_SYSCALL && errno != 0) return std::strerror(errno);
  return "the peer closed the connection";
}

std::string_view text_of(const ASN1_STRING* text) {
  return {
      reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
      static_cast<std::size_t>(ASN1_STRING_length(text))};
}

} // namespace

void TlsSession::Free::operator()(ssl_st* ssl) const noexcept {
  SSL_free(ssl);
}

TlsSession::TlsSession(ssl_ctx_st* context, int socket, Role role) : ssl_{SSL_new(context)} {
  if (ssl_ == nullptr || SSL_set_fd(ssl_.get(), socket) != 1) throw std::bad_alloc{};
  if (role == Role::Server) {
    SSL_set_accept_state(ssl_.get());
  } else {
    SSL_set_connect_state(ssl_.get());
  }
}

void TlsSession::ask_for(const std::string& server_name, std::string_view alpn) {
  if (!server_name.empty()) {
    SSL_set_tlsext_host_name(ssl_.get(), server_name.c_str());
    // Without the name every certificate of the CA would do.
    if (SSL_set1_host(ssl_.get(), server_name.c_str()) != 1) throw std::bad_alloc{};
  }
  if (!alpn.empty()) {
    std::string list(1, static_cast<char>(alpn.size()));
    list += alpn;
    SSL_set_alpn_protos(
        ssl_.get(),
        reinterpret_cast<const unsigned char*>(list.data()),
        static_cast<unsigned>(list.size()));
  }
}

TlsSession::Step TlsSession::judge(int result) noexcept {
  const int error = SSL_get_error(ssl_.get(), result);
  switch (error) {
  case SSL_ERROR_NONE: return Step::Done;
  case SSL_ERROR_WANT_READ: return Step::WantRead;
  case SSL_ERROR_WANT_WRITE: return Step::WantWrite;
  case SSL_ERROR_ZERO_RETURN: return Step::End;
  default:
    error_ = reason_of_failure(ssl_.get(), error);
    ERR_clear_error();
    return Step::Failed;
  }
}

TlsSession::Step TlsSession::handshake() noexcept {
  ERR_clear_error();
  errno = 0;
  return judge(SSL_do_handshake(ssl_.get()));
}

TlsSession::Step
TlsSession::read(void* buffer, std::size_t capacity, std::size_t& transferred) noexcept {
  ERR_clear_error();
  errno = 0;
  return judge(SSL_read_ex(ssl_.get(), buffer, capacity, &transferred));
}

TlsSession::Step
TlsSession::write(const void* data, std::size_t size, std::size_t& transferred) noexcept {
  ERR_clear_error();
  errno = 0;
  return judge(SSL_write_ex(ssl_.get(), data, size, &transferred));
}

bool TlsSession::has_pending() const noexcept {
  return SSL_pending(ssl_.get()) > 0;
}

void TlsSession::say_goodbye() noexcept {
  ERR_clear_error();
  if (SSL_is_init_finished(ssl_.get()) != 0) SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

std::string_view TlsSession::alpn() const noexcept {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string_view TlsSession::server_name() const noexcept {
  const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? std::string_view{} : name;
}

std::string_view TlsSession::peer_names() {
  if (!peer_names_.empty()) return peer_names_;
  const X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  if (certificate == nullptr || SSL_get_verify_result(ssl_.get()) != X509_V_OK) return {};
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> names{
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      &GENERAL_NAMES_free};
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    const auto* value = static_cast<const ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type));
    if (type != GEN_DNS && type != GEN_URI) continue;
    // A name with a line break or NUL in it would pass for two: it is nobody's name.
    const auto name = text_of(value);
    if (name.find_first_of(std::string_view{"\n\0", 2}) != name.npos) continue;
    if (!peer_names_.empty()) peer_names_ += '\n';
    peer_names_ += name;
  }
  return peer_names_;
}

} // namespace switchyard::host

#include <host/tls/contexts.hpp>
#include <proto/sniff/alpn.hpp>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace switchyard::host {

namespace {

/// Why OpenSSL cannot use a file; `not_pem` when its contents are something else. The first error
/// is the cause, those after it say who passed it on.
std::string reason(const char* not_pem) {
  const auto code = ERR_peek_error();
  ERR_clear_error();
  if (ERR_SYSTEM_ERROR(code)) return std::strerror(ERR_GET_REASON(code));
  const auto judged = ERR_GET_LIB(code) == ERR_LIB_SSL || ERR_GET_LIB(code) == ERR_LIB_X509;
  const char* text = judged ? ERR_reason_error_string(code) : nullptr;
  return text != nullptr ? text : not_pem;
}

/// Nobody is there to type a password, and one that waits for it does not serve.
int no_password(char*, int, int, void*) {
  return -1;
}

/// One process-wide set of rules for every context.
ssl_ctx_st* new_context(const SSL_METHOD* method) {
  SSL_CTX* context = SSL_CTX_new(method);
  if (context == nullptr) throw std::bad_alloc{};
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // Connections live for hours: resumption would save little and keep tickets and sessions in
  // memory.
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_default_passwd_cb(context, &no_password);
  // One record a read: a peer that sends nothing but key updates would keep the loop in SSL_read.
  SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_mode(
      context,
      SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
          SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return context;
}

/// The sentence for a file that cannot be used, or empty.
std::string use_certificate(SSL_CTX* context, const TlsConfig& config) {
  if (SSL_CTX_use_certificate_chain_file(context, config.certificate.c_str()) != 1)
    return "tls.certificate: cannot use " + config.certificate + ": " +
           reason("it holds no certificate in PEM");
  if (SSL_CTX_use_PrivateKey_file(context, config.key.c_str(), SSL_FILETYPE_PEM) != 1)
    return "tls.key: cannot use " + config.key + ": " +
           reason("it holds no private key in PEM without a password");
  if (SSL_CTX_check_private_key(context) != 1)
    return "tls.key: " + config.key + " is not the key of the certificate " + config.certificate;
  return {};
}

std::string use_ca(SSL_CTX* context, const TlsConfig& config) {
  if (SSL_CTX_load_verify_file(context, config.ca.c_str()) != 1)
    return "tls.ca: cannot use " + config.ca + ": " + reason("it holds no certificate in PEM");
  return {};
}

/// A server without a certificate answers a ClientHello with alert unrecognized_name, as Consul
/// does.
int refuse_any_name(SSL*, int* alert, void*) {
  *alert = SSL_AD_UNRECOGNIZED_NAME;
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/// RFC 7301: the first of our names that the client offers; none of them is a fatal alert.
int choose_alpn(
    SSL*,
    const unsigned char** chosen,
    unsigned char* size,
    const unsigned char* offered,
    unsigned offered_size,
    void* argument) {
  const auto name = sniff::choose_alpn(
      {reinterpret_cast<const char*>(offered), offered_size},
      *static_cast<const std::vector<std::string>*>(argument));
  if (name.empty()) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = reinterpret_cast<const unsigned char*>(name.data());
  *size = static_cast<unsigned char>(name.size());
  return SSL_TLSEXT_ERR_OK;
}

} // namespace

void TlsContexts::Free::operator()(ssl_ctx_st* context) const noexcept {
  SSL_CTX_free(context);
}

TlsContexts::TlsContexts(std::vector<std::string> alpn, Listeners listeners)
    : alpn_{std::move(alpn)},
      listeners_{std::move(listeners)},
      listener_servers_(listeners_.size()) {}

TlsContexts::~TlsContexts() = default;

/// What a server asks of its client, and what it agrees on with it.
struct TlsContexts::Terms {
  bool trust_ca = true;
  bool verify = false;
  const std::vector<std::string>* alpn = nullptr; // lives as long as the context; null: no name
};

std::string
TlsContexts::fill_server(Context& server, const Terms& terms, const TlsConfig* config) const {
  server.reset(new_context(TLS_server_method()));
  SSL_CTX* context = server.get();
  if (config == nullptr || config->certificate.empty()) {
    SSL_CTX_set_tlsext_servername_callback(context, &refuse_any_name);
    return {};
  }
  if (auto problem = use_certificate(context, *config); !problem.empty()) return problem;
  if (terms.alpn != nullptr)
    SSL_CTX_set_alpn_select_cb(
        context, &choose_alpn, const_cast<std::vector<std::string>*>(terms.alpn));
  if (terms.verify)
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  if (config->ca.empty() || !terms.trust_ca) return {};
  if (terms.verify)
    SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(config->ca.c_str()));
  return use_ca(context, *config);
}

std::string TlsContexts::fill(const TlsConfig* config) const {
  const auto verify = config != nullptr && config->verify_incoming;
  const std::pair<ServerTls, Terms> kinds[] = {
      {ServerTls::Tagged, {.verify = verify}},
      {ServerTls::Native, {.verify = true, .alpn = &alpn_}},
      {ServerTls::Insecure, {.trust_ca = false}}};
  for (const auto& [kind, terms] : kinds) {
    auto& server = servers_[static_cast<std::size_t>(kind)];
    if (auto problem = fill_server(server, terms, config); !problem.empty()) return problem;
  }
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    if (!listeners_[i]) continue;
    const auto& [listener_verify, alpn] = *listeners_[i];
    const Terms terms{.verify = listener_verify, .alpn = alpn.empty() ? nullptr : &alpn};
    if (auto problem = fill_server(listener_servers_[i], terms, config); !problem.empty())
      return problem;
  }
  for (const bool with_certificate : {false, true}) {
    if (auto problem = fill_client(with_certificate, config); !problem.empty()) return problem;
  }
  return {};
}

void TlsContexts::fill_without_certificate() const {
  std::call_once(filled_, [this] { (void)fill(nullptr); }); // no file, no problem
}

boost::system::result<std::shared_ptr<const TlsContexts>, std::string>
TlsContexts::load(const TlsConfig* config, std::vector<std::string> alpn, Listeners listeners) {
  const std::shared_ptr<TlsContexts> contexts{
      new TlsContexts{std::move(alpn), std::move(listeners)}};
  if (config != nullptr) {
    std::string problem;
    std::call_once(contexts->filled_, [&] { problem = contexts->fill(config); });
    if (!problem.empty()) return problem;
    contexts->mutual_ = !config->ca.empty() && !config->certificate.empty();
  }
  return std::shared_ptr<const TlsContexts>{contexts};
}

ssl_ctx_st* TlsContexts::server(ServerTls kind) const {
  fill_without_certificate();
  return servers_[static_cast<std::size_t>(kind)].get();
}

ssl_ctx_st* TlsContexts::listener(std::size_t number) const {
  fill_without_certificate();
  return listener_servers_[number].get();
}

ssl_ctx_st* TlsContexts::client(bool use_certificate) const {
  fill_without_certificate();
  return clients_[use_certificate ? 1 : 0].get();
}

std::string TlsContexts::fill_client(bool use_certificate_, const TlsConfig* config) const {
  auto& slot = clients_[use_certificate_ ? 1 : 0];
  slot.reset(new_context(TLS_client_method()));
  SSL_CTX_set_verify(slot.get(), SSL_VERIFY_PEER, nullptr);
  if (config == nullptr) return {};
  if (!config->ca.empty()) {
    if (auto problem = use_ca(slot.get(), *config); !problem.empty()) return problem;
  }
  if (use_certificate_ && !config->certificate.empty()) return use_certificate(slot.get(), *config);
  return {};
}

TlsContexts::Context
TlsContexts::new_client(std::string_view trust_roots, bool use_certificate) const {
  Context context{new_context(TLS_client_method())};
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  const std::unique_ptr<BIO, decltype(&BIO_free)> pem{
      BIO_new_mem_buf(trust_roots.data(), static_cast<int>(trust_roots.size())), &BIO_free};
  int count = 0;
  while (X509* certificate = PEM_read_bio_X509(pem.get(), nullptr, nullptr, nullptr)) {
    count += X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), certificate);
    X509_free(certificate);
  }
  ERR_clear_error(); // the end of the text is reported as an error
  if (count == 0) return {};
  SSL_CTX* own = client(true);
  if (X509* certificate = SSL_CTX_get0_certificate(own);
      use_certificate && certificate != nullptr) {
    STACK_OF(X509)* chain = nullptr;
    SSL_CTX_get0_chain_certs(own, &chain);
    SSL_CTX_use_cert_and_key(context.get(), certificate, SSL_CTX_get0_privatekey(own), chain, 1);
  }
  return context;
}

} // namespace switchyard::host

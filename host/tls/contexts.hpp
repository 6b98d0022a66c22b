#pragma once

#include <host/config/config.hpp>

#include <boost/system/result.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct ssl_ctx_st;

namespace switchyard::host {

/// How a TLS server treats its client. Source: a real Consul
/// 1.8.7, asked by tests/system/tls_table.py.
enum class ServerTls {
  Tagged,   ///< after tag 3: a client certificate when tls.verify_incoming, no ALPN
  Native,   ///< at once: a client certificate always, the protocol by ALPN
  Insecure, ///< after tag 7: never a client certificate
};

/// How a listener that is TLS from its first byte treats its client.
struct ListenerTls {
  bool verify_incoming = false;  ///< a client without a certificate is refused
  std::vector<std::string> alpn; ///< the preferred one first; empty: no name is agreed on

  friend bool operator==(const ListenerTls&, const ListenerTls&) = default;
};

/// The TLS side of one configuration: certificates read, checked and ready. Immutable; a reload
/// makes a new one, and connections keep the one they began with. Any thread.
class TlsContexts {
public:
  /// In the order of Config::listeners; nothing for one that is not TLS by itself.
  using Listeners = std::vector<std::optional<ListenerTls>>;

  /// Reads the files of `config`, or what is wrong: a sentence with the file's name. Without a
  /// `config` a server context still exists, and its handshakes fail. `alpn` are the names that are
  /// routed, the preferred one first.
  static boost::system::result<std::shared_ptr<const TlsContexts>, std::string>
  load(const TlsConfig* config, std::vector<std::string> alpn, Listeners listeners = {});

  ~TlsContexts();
  TlsContexts(const TlsContexts&) = delete;
  TlsContexts& operator=(const TlsContexts&) = delete;

  /// Lives as long as the contexts; a session made from it keeps it alive by itself.
  [[nodiscard]] ssl_ctx_st* server(ServerTls kind) const;

  /// For the listener of that position, which is TLS by itself. Lives as server()'s.
  [[nodiscard]] ssl_ctx_st* listener(std::size_t number) const;

  /// For a server that tls.ca has signed; with our own certificate at hand when it asks, or
  /// without. Lives as server()'s.
  [[nodiscard]] ssl_ctx_st* client(bool use_certificate) const;

  struct Free {
    void operator()(ssl_ctx_st* context) const noexcept;
  };

  using Context = std::unique_ptr<ssl_ctx_st, Free>;

  /// The same for a server that `trust_roots` (PEM) have signed. Null when no root can be read in
  /// it.
  [[nodiscard]] Context new_client(std::string_view trust_roots, bool use_certificate) const;

  /// A CA and a certificate are there: only then is native TLS told apart from tags.
  [[nodiscard]] bool mutual() const noexcept { return mutual_; }

private:
  TlsContexts(std::vector<std::string> alpn, Listeners listeners);

  struct Terms;
  std::string fill(const TlsConfig* config) const;
  std::string fill_server(Context& server, const Terms& terms, const TlsConfig* config) const;
  std::string fill_client(bool use_certificate, const TlsConfig* config) const;
  void fill_without_certificate() const;

  const std::vector<std::string> alpn_;
  const Listeners listeners_;
  // Without a [tls] table they are made when the first peer asks for TLS: OpenSSL is a third of
  // what an idle server holds.
  mutable std::once_flag filled_;
  mutable Context servers_[3];
  mutable std::vector<Context> listener_servers_; // parallel to listeners_
  mutable Context clients_[2];                    // without, with our certificate
  bool mutual_ = false;
};

} // namespace switchyard::host

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct ssl_st;
struct ssl_ctx_st;

namespace switchyard::host {

/// One TLS conversation over a non-blocking socket; OpenSSL does the reading and writing of it.
/// Used by one thread.
class TlsSession {
public:
  enum class Step : std::uint8_t {
    Done,      ///< the operation made progress
    WantRead,  ///< again when the socket is readable
    WantWrite, ///< again when the socket is writable
    End,       ///< the peer said close_notify
    Failed,    ///< see error()
  };

  enum class Role : std::uint8_t { Server, Client };

  /// `context` is kept alive by the session. The session does not own `socket`.
  TlsSession(ssl_ctx_st* context, int socket, Role role);

  /// Client only, before handshake(): SNI, the one ALPN name offered, and the name that must stand
  /// in the certificate; empty ones are left out.
  void ask_for(const std::string& server_name, std::string_view alpn);

  [[nodiscard]] Step handshake() noexcept;

  /// Up to `capacity` clear bytes.
  [[nodiscard]] Step read(void* buffer, std::size_t capacity, std::size_t& transferred) noexcept;

  /// Part of `size` bytes. After WantRead or WantWrite the next write offers the same bytes, and at
  /// least as many.
  [[nodiscard]] Step write(const void* data, std::size_t size, std::size_t& transferred) noexcept;

  /// Clear bytes that read() has without asking the socket.
  [[nodiscard]] bool has_pending() const noexcept;

  /// Says close_notify once, as far as the socket takes it.
  void say_goodbye() noexcept;

  /// Negotiated with the handshake; empty when there is none.
  [[nodiscard]] std::string_view alpn() const noexcept;
  [[nodiscard]] std::string_view server_name() const noexcept;

  /// DNS and URI names of the peer's verified certificate, one a line; empty without one. Valid as
  /// long as the session.
  [[nodiscard]] std::string_view peer_names();

  /// What went wrong in the last Failed step, for the log.
  [[nodiscard]] std::string error() const { return error_; }

private:
  struct Free {
    void operator()(ssl_st* ssl) const noexcept;
  };

  Step judge(int result) noexcept;

  std::unique_ptr<ssl_st, Free> ssl_;
  std::string error_;
  std::string peer_names_; // made when first asked for
};

} // namespace switchyard::host

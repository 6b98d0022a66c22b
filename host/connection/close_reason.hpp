#pragma once

#include <switchyard/connection.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace switchyard::host {

/// Why a connection ended. The first seven are a plugin's to give (sy_close_reason, same values);
/// the others are the stages'.
enum class CloseReason : std::uint8_t {
  Finished = SY_CLOSE_FINISHED,
  PeerGone = SY_CLOSE_PEER_GONE,
  ProtocolError = SY_CLOSE_PROTOCOL_ERROR,
  TimedOut = SY_CLOSE_TIMED_OUT,
  Limit = SY_CLOSE_LIMIT,
  Drained = SY_CLOSE_DRAINED,
  Internal = SY_CLOSE_INTERNAL,
  AtCapacity,      ///< limits.connections, or no descriptor or place in epoll left
  ClientLimit,     ///< limits.connections_per_client
  OpeningTimeout,  ///< limits.handshake_timeout passed before the protocol was known
  OpeningAborted,  ///< the peer left before the protocol was known
  UnknownProtocol, ///< no plugin claims the tag or ALPN name
  TlsRequired,     ///< clear text although tls.verify_incoming, or where a listener is all TLS
  TlsInTls,        ///< tag 3 or 7 inside TLS
  TlsFailed,       ///< the handshake failed
  Refused,         ///< the plugin did not take it
  HungUp,          ///< a connection served as a descriptor ended
  Count
};

inline constexpr auto kCloseReasons = static_cast<std::size_t>(CloseReason::Count);

/// The reason's name in status, metrics and log.
[[nodiscard]] constexpr std::string_view to_string(CloseReason reason) noexcept {
  constexpr std::array<std::string_view, kCloseReasons> names{
      "finished",
      "peer_gone",
      "protocol_error",
      "timed_out",
      "limit",
      "drained",
      "internal",
      "at_capacity",
      "client_limit",
      "opening_timeout",
      "opening_aborted",
      "unknown_protocol",
      "tls_required",
      "tls_in_tls",
      "tls_failed",
      "refused",
      "hung_up"};
  return names[static_cast<std::size_t>(reason)];
}

/// Why an opening that ended with `status` was not completed.
[[nodiscard]] constexpr CloseReason opening_failure(sy_status status) noexcept {
  switch (status) {
  case SY_TIMED_OUT: return CloseReason::OpeningTimeout;
  case SY_REFUSED: return CloseReason::TlsFailed;
  case SY_INVALID: return CloseReason::UnknownProtocol;
  default: return CloseReason::OpeningAborted;
  }
}

/// What one loop has taken on (accepted, dialled, adopted) and closed. Written by its loop, read by
/// any thread.
struct ConnectionCounters {
  std::atomic<std::uint64_t> accepted{0};
  std::array<std::atomic<std::uint64_t>, kCloseReasons> closed{};

  void count_accepted() noexcept { increment(accepted); }

  void count_closed(CloseReason reason) noexcept {
    increment(closed[static_cast<std::size_t>(reason)]);
  }

  /// Those taken on and not closed.
  [[nodiscard]] std::uint64_t open() const noexcept {
    std::uint64_t ended = 0;
    for (const auto& counter : closed)
      ended += counter.load(std::memory_order_relaxed);
    const auto begun = accepted.load(std::memory_order_relaxed);
    return begun > ended ? begun - ended : 0; // another thread may count between the reads
  }

private:
  // One writer: a plain load and store is enough, and cheaper than a locked instruction.
  static void increment(std::atomic<std::uint64_t>& counter) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
};

} // namespace switchyard::host

#pragma once

#include <switchyard/host.h>
#include <switchyard/status.h>

#include <host/connection/close_reason.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace switchyard::host {

/// What a message can have at most; longer ones are not made.
inline constexpr std::size_t kMessageMax = 32'768;

/// What a text in one can have; of a longer one the beginning is sent.
inline constexpr std::size_t kTextMax = 5'000;

/// The calls of a plugin that are made in its process.
enum class Function : std::uint8_t { Init, Start, Activate, Health, Drain, AbortAll, Stop, Count };

/// "init()", as sentences have it.
[[nodiscard]] std::string_view to_string(Function function) noexcept;

// On the control channel, to the child.

/// The descriptor that comes with it is the channel of the child's next loop.
struct LaneOpened {
  friend bool operator==(const LaneOpened&, const LaneOpened&) = default;
};

struct Call {
  Function function{};
  std::uint64_t deadline = 0; ///< of a drain, as sy_loops.now()

  friend bool operator==(const Call&, const Call&) = default;
};

// On the control channel, to the host.

/// What a call has said.
struct Answer {
  sy_status status = SY_OK;
  std::string text; ///< the sentence of a failure

  friend bool operator==(const Answer&, const Answer&) = default;
};

struct LogLine {
  sy_log_level level = SY_LOG_INFO;
  std::string text;

  friend bool operator==(const LogLine&, const LogLine&) = default;
};

/// What a metric of the plugin stands at, once that has changed.
struct Counted {
  bool counter = false; ///< a gauge otherwise
  double value = 0;
  std::string name; ///< as it was declared
  std::string help;

  friend bool operator==(const Counted&, const Counted&) = default;
};

/// The drain that was asked for is complete.
struct Drained {
  friend bool operator==(const Drained&, const Drained&) = default;
};

// On the channel of a loop.

/// To the child, with its socket: one connection of the plugin.
struct Passed {
  std::uint64_t id = 0;
  std::uint32_t protocol = 0; ///< position in the manifest
  std::int32_t tag = -1;      ///< that routed it; -1: none
  bool tls = false;           ///< the host carries it to the socket in clear
  std::string listener;
  std::string alpn;
  std::string server_name;
  std::string peer_names;
  std::string remote;
  std::string local;

  friend bool operator==(const Passed&, const Passed&) = default;
};

/// To the host: the first connection that was passed and not told of so far has been received.
struct Taken {
  friend bool operator==(const Taken&, const Taken&) = default;
};

/// To the host: a connection that was taken has ended.
struct PassedEnded {
  std::uint64_t id = 0;
  CloseReason reason{};

  friend bool operator==(const PassedEnded&, const PassedEnded&) = default;
};

using Message =
    std::variant<LaneOpened, Call, Answer, LogLine, Drained, Passed, PassedEnded, Taken, Counted>;

/// Its bytes: a byte of kind, then its fields in their order, numbers little-endian, texts behind
/// their length in two bytes.
[[nodiscard]] std::string encode(const Message& message);

/// The message that is all of `bytes`; nothing when they are none. Pure.
[[nodiscard]] std::optional<Message> decode(std::string_view bytes);

} // namespace switchyard::host

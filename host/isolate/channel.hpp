#pragma once

#include <host/isolate/message.hpp>
#include <host/plugin/file_descriptor.hpp>

#include <optional>

namespace switchyard::host {

/// One end of a socket between host and child that keeps messages apart (unix(7), SOCK_SEQPACKET).
/// Sending is for any thread, one at a time each; receiving for one.
class Channel {
public:
  Channel() = default;

  explicit Channel(FileDescriptor socket) noexcept : socket_{std::move(socket)} {}

  struct Pair;

  /// Two that are connected and non-blocking; not open when there is no descriptor left.
  [[nodiscard]] static Pair pair();

  enum class Sent : std::uint8_t {
    Whole,
    Later, ///< nothing of it: the other side does not read, now
    Never, ///< there is no other side any more, or the kernel refuses
  };

  /// Sends a message, and a duplicate of `descriptor` with it unless that is -1.
  [[nodiscard]] Sent send(const Message& message, int descriptor = -1) const;

  enum class Heard : std::uint8_t {
    Whole,
    Nothing, ///< now
    End,
    Fault, ///< what came is no message
  };

  struct Received {
    Heard heard = Heard::Nothing;
    Message message;
    FileDescriptor descriptor; ///< that came with it; not open when none did, or none was free
  };

  [[nodiscard]] Received receive() const;

  [[nodiscard]] int descriptor() const noexcept { return socket_.get(); }

  [[nodiscard]] bool open() const noexcept { return socket_.open(); }

  /// Gives the socket up.
  [[nodiscard]] FileDescriptor take() && noexcept { return std::move(socket_); }

private:
  FileDescriptor socket_;
};

struct Channel::Pair {
  Channel ours;
  Channel theirs;
};

} // namespace switchyard::host

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace switchyard::netrpc {

class Conversation;

/// The connection as its conversations see it: what carries their streams. A stream is named by its
/// number, which a connection that is one stream itself ignores. [loop]
class StreamOwner {
public:
  /// Puts out the first bytes of `bytes` and returns how many. When that is not all,
  /// Conversation::write_on() follows.
  [[nodiscard]] virtual std::size_t
  write(std::uint32_t stream, std::span<const std::byte> bytes) = 0;

  /// `count` bytes that came are dealt with: the peer may send as many more.
  virtual void consumed(std::uint32_t stream, std::size_t count) = 0;

  /// False while so much waits for the peer that no further request should be begun;
  /// Conversation::go_on() follows.
  [[nodiscard]] virtual bool may_begin() = 0;

  /// Conversations hold `input` more (or less) bytes of unfinished requests, `output` of answers.
  virtual void hold(std::ptrdiff_t input, std::ptrdiff_t output) = 0;

  /// `conversation` has gone on by itself, because an answer came. Ends it if it is over.
  virtual void settle(Conversation& conversation) = 0;

  /// The peer of `conversation` takes too long over a request, or over taking an answer.
  virtual void time_out(Conversation& conversation) = 0;

  /// "ip:port"
  [[nodiscard]] virtual const std::string& remote() const noexcept = 0;

protected:
  ~StreamOwner() = default;
};

} // namespace switchyard::netrpc

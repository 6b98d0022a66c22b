#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace switchyard::yamux {

/// What a session reports while it takes bytes, in the order of the wire. Every function may call
/// the session again (write, finish, reset, consumed, accept …) but neither destroy it nor call its
/// receive(). A stream is named by its id.
class Events {
public:
  /// The peer has opened `stream`. Answer with accept() or reset(), now or later.
  virtual void on_open(std::uint32_t stream) = 0;

  /// The next bytes of `stream`, borrowed from the input of receive(). They count against the
  /// peer's window until consumed() is called for them.
  virtual void on_data(std::uint32_t stream, std::span<const std::byte> bytes) = 0;

  /// The peer has finished its direction of `stream`: no more on_data. The stream is gone if
  /// finish() was called before; otherwise it stays until it is.
  virtual void on_finish(std::uint32_t stream) = 0;

  /// The peer has reset `stream`. It is gone.
  virtual void on_reset(std::uint32_t stream) = 0;

  /// write(), which took less than it was given, can take bytes of `stream` again.
  virtual void on_writable(std::uint32_t stream) = 0;

  /// The peer says GoAway: open() fails from now on; streams that are open go on.
  virtual void on_go_away() = 0;

  /// The peer has heard say_farewell(), and opens no stream that it was not about to open.
  virtual void on_farewell_heard() {}

protected:
  ~Events() = default;
};

} // namespace switchyard::yamux

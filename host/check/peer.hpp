#pragma once

#include <host/plugin/file_descriptor.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace switchyard::host {

/// One connection to a listener on loopback, made by the checker. Blocks, at most 5 s a call.
class Peer {
public:
  /// `port` of 127.0.0.1.
  [[nodiscard]] static std::optional<Peer> connect(std::uint16_t port);

  /// What the kernel takes of `bytes` without waiting for the other side to read.
  void say(std::string_view bytes) const;

  void shut_write() const;

  /// Ends it with a reset in place of an end.
  void reset();

private:
  explicit Peer(FileDescriptor socket) noexcept : socket_{std::move(socket)} {}

  FileDescriptor socket_;
};

} // namespace switchyard::host

#pragma once

#include <proto/yamux/header.hpp>

#include <vector>

namespace switchyard::yamux {

/// Frames on their way to the wire, in order. Holds no memory while it is empty.
class Output {
public:
  /// What is not consumed yet; valid until the next non-const call.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    return std::span{buffer_}.subspan(begin_);
  }

  [[nodiscard]] std::size_t size() const noexcept { return buffer_.size() - begin_; }

  /// Appends a frame without payload.
  void append(const Header& header);

  /// Appends `payload` as Data of `stream_id`: to the last frame, if that is plain Data of the same
  /// stream and its header has not left yet, otherwise as a frame of its own.
  void append_data(std::uint32_t stream_id, std::span<const std::byte> payload);

  /// Drops the first `count` (<= size()) bytes.
  void consume(std::size_t count);

  /// Moves everything out.
  [[nodiscard]] std::vector<std::byte> take();

private:
  void put(std::span<const std::byte> bytes);

  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0;         ///< bytes before it are on the wire
  std::size_t open_frame_ = 0;    ///< where the last frame begins, if open_stream_ is not 0
  std::uint32_t open_stream_ = 0; ///< the stream whose Data ends the buffer; 0: none
};

} // namespace switchyard::yamux

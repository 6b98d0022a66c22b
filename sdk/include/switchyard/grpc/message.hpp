#pragma once

#include <switchyard/status.h>

#include <concepts>
#include <limits>
#include <string>

namespace switchyard {

/// A type of message: std::string, which is the bytes as they are, or what protoc makes (lite is
/// enough).
template <class Message>
concept GrpcMessage = std::same_as<Message, std::string> ||
    (std::default_initializable<Message>&& std::movable<Message>&& requires(
        Message& message, const Message& constant, std::string* out, const void* in) {
      { message.ParseFromArray(in, 0) } -> std::convertible_to<bool>;
      { constant.SerializeToString(out) } -> std::convertible_to<bool>;
    });

namespace detail {

/// False when the bytes are no such message.
template <GrpcMessage Message>
[[nodiscard]] bool decode(sy_bytes bytes, Message& message) {
  if constexpr (std::same_as<Message, std::string>) {
    if (bytes.size != 0) message.assign(static_cast<const char*>(bytes.data), bytes.size);
    return true;
  } else {
    if (bytes.size > static_cast<std::size_t>(std::numeric_limits<int>::max())) return false;
    return message.ParseFromArray(bytes.data, static_cast<int>(bytes.size));
  }
}

/// False when the message is too large, or lacks what proto2 requires.
template <GrpcMessage Message>
[[nodiscard]] bool encode(const Message& message, std::string& bytes) {
  if constexpr (std::same_as<Message, std::string>) {
    bytes = message;
    return true;
  } else {
    return message.SerializeToString(&bytes);
  }
}

} // namespace detail

} // namespace switchyard

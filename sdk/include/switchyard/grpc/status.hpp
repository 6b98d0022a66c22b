#pragma once

#include <switchyard/bytes.hpp>
#include <switchyard/grpc/status.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace switchyard {

/// How a call ended, kept.
struct GrpcStatus {
  sy_grpc_code code = SY_GRPC_OK;
  std::string message; ///< UTF-8
  std::string details; ///< a serialized google.rpc.Status, or empty

  [[nodiscard]] bool ok() const noexcept { return code == SY_GRPC_OK; }

  friend bool operator==(const GrpcStatus&, const GrpcStatus&) = default;
};

/// What a call has come to: a message, or the status that it failed with.
template <class Message>
class [[nodiscard]] GrpcResult {
public:
  GrpcResult(Message message) : result_{std::move(message)} {} // NOLINT: returned as it is

  /// `failure` is not SY_GRPC_OK.
  GrpcResult(GrpcStatus failure) : result_{std::move(failure)} {} // NOLINT: returned as it is

  explicit operator bool() const noexcept { return std::holds_alternative<Message>(result_); }

  /// Only when there is a message.
  [[nodiscard]] Message& operator*() noexcept { return *std::get_if<Message>(&result_); }

  [[nodiscard]] const Message& operator*() const noexcept {
    return *std::get_if<Message>(&result_);
  }

  [[nodiscard]] Message* operator->() noexcept { return std::get_if<Message>(&result_); }

  [[nodiscard]] GrpcStatus status() const {
    const auto* failure = std::get_if<GrpcStatus>(&result_);
    return failure == nullptr ? GrpcStatus{} : *failure;
  }

private:
  std::variant<Message, GrpcStatus> result_;
};

/// Metadata, kept: keys in lower case, in the order of the wire; a key may repeat.
using GrpcMetadata = std::vector<std::pair<std::string, std::string>>;

namespace detail {

[[nodiscard]] inline std::string copy(sy_string text) {
  return std::string{view(text)};
}

[[nodiscard]] inline std::string copy(sy_bytes bytes) {
  return bytes.size == 0 ? std::string{}
                         : std::string{static_cast<const char*>(bytes.data), bytes.size};
}

[[nodiscard]] inline sy_bytes bytes_of(std::string_view text) noexcept {
  return {text.data(), text.size()};
}

[[nodiscard]] inline GrpcStatus copy(const sy_grpc_status& status) {
  return {status.code, copy(status.message), copy(status.details)};
}

[[nodiscard]] inline GrpcMetadata copy(sy_grpc_metadata metadata) {
  GrpcMetadata kept;
  kept.reserve(metadata.count);
  for (std::size_t at = 0; at < metadata.count; ++at) {
    kept.emplace_back(copy(metadata.entries[at].key), copy(metadata.entries[at].value));
  }
  return kept;
}

/// Borrows `status`.
[[nodiscard]] inline sy_grpc_status borrow(const GrpcStatus& status) noexcept {
  return {sizeof(sy_grpc_status), status.code, to_c(status.message), bytes_of(status.details)};
}

/// Borrows metadata as the C functions want it; valid as long as both live.
class BorrowedMetadata {
public:
  explicit BorrowedMetadata(const GrpcMetadata& metadata) {
    entries_.reserve(metadata.size());
    for (const auto& [key, value] : metadata)
      entries_.push_back({to_c(key), bytes_of(value)});
  }

  [[nodiscard]] sy_grpc_metadata get() const noexcept { return {entries_.data(), entries_.size()}; }

private:
  std::vector<sy_grpc_metadata_entry> entries_;
};

} // namespace detail

} // namespace switchyard

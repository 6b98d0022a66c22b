#pragma once

#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/slice.h>

#include <span>
#include <string_view>
#include <utility>

namespace switchyard::grpc {

[[nodiscard]] inline std::string_view view(const grpc_slice& slice) noexcept {
  return {reinterpret_cast<const char*>(GRPC_SLICE_START_PTR(slice)), GRPC_SLICE_LENGTH(slice)};
}

/// A call as gRPC's core hands it over: what the client has said to begin it. Movable; owns all.
class Incoming {
public:
  Incoming() noexcept {
    grpc_call_details_init(&details_);
    grpc_metadata_array_init(&metadata_);
  }

  Incoming(Incoming&& other) noexcept
      : call_{std::exchange(other.call_, nullptr)},
        details_{other.details_},
        metadata_{other.metadata_} {
    grpc_call_details_init(&other.details_);
    grpc_metadata_array_init(&other.metadata_);
  }

  Incoming& operator=(Incoming&& other) noexcept {
    std::swap(call_, other.call_);
    std::swap(details_, other.details_);
    std::swap(metadata_, other.metadata_);
    return *this;
  }

  Incoming(const Incoming&) = delete;
  Incoming& operator=(const Incoming&) = delete;

  ~Incoming() {
    grpc_metadata_array_destroy(&metadata_);
    grpc_call_details_destroy(&details_);
    if (call_ != nullptr) grpc_call_unref(call_); // last: the metadata is the call's
  }

  /// Asks for the next call of `server`; `tag` comes to `queue` when it is here.
  [[nodiscard]] bool ask(grpc_server* server, grpc_completion_queue* queue, void* tag) noexcept {
    return grpc_server_request_call(server, &call_, &details_, &metadata_, queue, queue, tag) ==
           GRPC_CALL_OK;
  }

  [[nodiscard]] grpc_call* call() const noexcept { return call_; }

  [[nodiscard]] std::string_view method() const noexcept { return view(details_.method); }

  [[nodiscard]] std::string_view authority() const noexcept { return view(details_.host); }

  [[nodiscard]] gpr_timespec deadline() const noexcept { return details_.deadline; }

  [[nodiscard]] std::span<const grpc_metadata> metadata() const noexcept {
    return {metadata_.metadata, metadata_.count};
  }

private:
  grpc_call* call_ = nullptr;
  grpc_call_details details_;
  grpc_metadata_array metadata_;
};

} // namespace switchyard::grpc

#pragma once

#include <switchyard/status.h>

#include <boost/assert.hpp>
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/slice.h>

#include <memory>
#include <utility>

namespace switchyard::grpc {

struct DestroyMessage {
  void operator()(grpc_byte_buffer* message) const noexcept { grpc_byte_buffer_destroy(message); }
};

/// A message as gRPC's core takes and gives it; null: none.
using Message = std::unique_ptr<grpc_byte_buffer, DestroyMessage>;

/// A copy of `message` as gRPC sends it.
[[nodiscard]] inline Message message_of(sy_bytes message) {
  auto slice = grpc_slice_from_copied_buffer(static_cast<const char*>(message.data), message.size);
  Message made{grpc_raw_byte_buffer_create(&slice, 1)};
  grpc_slice_unref(slice);
  return made;
}

/// The bytes of a message in one piece; copied only when it came in several.
class Contents {
public:
  /// `message` is not null.
  explicit Contents(const Message& message) : slice_{in_one_piece(*message)} {}

  Contents(const Contents&) = delete;
  Contents& operator=(const Contents&) = delete;

  ~Contents() { grpc_slice_unref(slice_); }

  [[nodiscard]] sy_bytes bytes() const noexcept {
    return {GRPC_SLICE_START_PTR(slice_), GRPC_SLICE_LENGTH(slice_)};
  }

private:
  static grpc_slice in_one_piece(grpc_byte_buffer& message) {
    const auto& raw = message.data.raw;
    if (raw.compression == GRPC_COMPRESS_NONE && raw.slice_buffer.count == 1) {
      return grpc_slice_ref(raw.slice_buffer.slices[0]);
    }
    grpc_byte_buffer_reader reader;
    const auto begun = grpc_byte_buffer_reader_init(&reader, &message);
    BOOST_VERIFY(begun != 0);
    const auto slice = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    return slice;
  }

  grpc_slice slice_;
};

} // namespace switchyard::grpc

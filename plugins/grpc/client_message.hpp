#pragma once

#include <switchyard/status.h>

#include <boost/assert.hpp>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

namespace switchyard::grpc {

/// A copy of `message` as gRPC sends it.
[[nodiscard]] inline ::grpc::ByteBuffer buffer_of(sy_bytes message) {
  const ::grpc::Slice slice{message.data, message.size};
  return {&slice, 1};
}

/// `buffer` in one piece; copied only when it came in several.
[[nodiscard]] inline ::grpc::Slice in_one_piece(const ::grpc::ByteBuffer& buffer) {
  ::grpc::Slice slice;
  if (buffer.TrySingleSlice(&slice).ok()) return slice;
  const auto status = buffer.DumpToSingleSlice(&slice);
  BOOST_VERIFY(status.ok());
  return slice;
}

/// Borrows `slice`.
[[nodiscard]] inline sy_bytes bytes_of(const ::grpc::Slice& slice) noexcept {
  return {slice.begin(), slice.size()};
}

} // namespace switchyard::grpc

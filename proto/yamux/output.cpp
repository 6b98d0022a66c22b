#include <proto/yamux/output.hpp>

#include <boost/assert.hpp>

#include <algorithm>
#include <utility>

namespace switchyard::yamux {
namespace {

// Enough for the acknowledgement and the answer of a small call, so that those cost one allocation.
constexpr std::size_t kFirstCapacity = 256;

} // namespace

void Output::put(std::span<const std::byte> bytes) {
  if (buffer_.capacity() == 0) buffer_.reserve(std::max(kFirstCapacity, bytes.size()));
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

void Output::append(const Header& header) {
  put(encode_header(header));
  open_stream_ = 0;
}

void Output::append_data(std::uint32_t stream_id, std::span<const std::byte> payload) {
  if (stream_id != open_stream_) {
    open_frame_ = buffer_.size();
    open_stream_ = stream_id;
    put(encode_header({.stream_id = stream_id}));
  }
  put(payload);
  const auto length = buffer_.size() - open_frame_ - kHeaderSize;
  const auto header =
      encode_header({.stream_id = stream_id, .length = static_cast<std::uint32_t>(length)});
  std::ranges::copy(header, buffer_.begin() + static_cast<std::ptrdiff_t>(open_frame_));
}

void Output::consume(std::size_t count) {
  BOOST_ASSERT(count <= size());
  begin_ += count;
  if (begin_ > open_frame_) open_stream_ = 0;
  if (begin_ == buffer_.size()) *this = Output{};
}

std::vector<std::byte> Output::take() {
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
  return std::exchange(*this, Output{}).buffer_;
}

} // namespace switchyard::yamux

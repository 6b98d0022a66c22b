#include <proto/raftwire/error.hpp>
#include <proto/raftwire/request.hpp>

namespace switchyard::raftwire {
namespace {

template <class T>
boost::system::result<Request> any(boost::system::result<T> request) {
  if (!request) return request.error();
  return Request{std::move(*request)};
}

} // namespace

boost::system::result<Request> RequestFrame::decode(const Limits& limits) const {
  switch (type) {
  case RequestType::AppendEntries: return any(decode_append_entries(object, limits));
  case RequestType::RequestVote: return any(decode_request_vote(object));
  case RequestType::InstallSnapshot: return any(decode_install_snapshot(object));
  case RequestType::TimeoutNow: return any(decode_timeout_now(object));
  case RequestType::RequestPreVote: return any(decode_pre_vote(object));
  }
  return Error::UnknownRequest;
}

boost::system::result<std::optional<RequestFrame>>
RequestExtent::scan(std::span<const std::byte> bytes) noexcept {
  if (bytes.empty()) return std::nullopt;
  if (bytes[0] > std::byte{static_cast<std::uint8_t>(RequestType::RequestPreVote)}) {
    return Error::UnknownRequest;
  }
  const auto size = extent_.scan(bytes.subspan(1));
  if (!size) return size.error();
  if (!*size) return std::nullopt;
  return RequestFrame{static_cast<RequestType>(bytes[0]), bytes.subspan(1, **size), 1 + **size};
}

} // namespace switchyard::raftwire

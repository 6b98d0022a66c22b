#pragma once

#include <boost/system/result.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace switchyard::netrpc {

/// No header of a well-behaved peer comes near this; what is larger is refused before it has
/// arrived. Later Consul versions cap theirs likewise.
inline constexpr std::uint32_t kRequestHeaderBytesMax = 512;

/// What precedes the argument of a call. Source: Go net/rpc, type Request.
struct RequestHeader {
  std::uint64_t seq = 0;   ///< chosen by the client, echoed; need not be unique
  std::string_view method; ///< "Service.Method"
  std::size_t size = 0;    ///< bytes on the wire: the body begins there

  friend bool operator==(const RequestHeader&, const RequestHeader&) = default;
};

/// Reads the header at the start of `bytes`; nullopt while it is cut short. Never nullopt once
/// there are kRequestHeaderBytesMax + msgpack::kHeadSizeMax bytes.
///
/// A map in any key order, keys matched by case, unknown ones skipped, the last of equal ones
/// counting; or an array in Go's declaration order (ServiceMethod, Seq). Nil and missing fields are
/// zero. Fails with msgpack::Error; TooLarge means that kRequestHeaderBytesMax is not kept.
///
/// `method` points into `bytes`. No allocation, any thread.
[[nodiscard]] boost::system::result<std::optional<RequestHeader>>
decode_request_header(std::span<const std::byte> bytes) noexcept;

/// Appends the header of a call to `out`, byte for byte as Go's client writes it; the body is the
/// caller's to append.
void append_request_header(std::vector<std::byte>& out, std::uint64_t seq, std::string_view method);

} // namespace switchyard::netrpc

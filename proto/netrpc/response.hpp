#pragma once

#include <boost/system/result.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace switchyard::netrpc {

/// A server's error text travels in the header, so this bounds the text too.
inline constexpr std::uint32_t kResponseHeaderBytesMax = 64U << 10;

/// What precedes the reply of a call. Source: Go net/rpc, type Response.
struct ResponseHeader {
  std::uint64_t seq = 0;   ///< of the request
  std::string_view method; ///< of the request
  std::string_view error;  ///< empty: the method succeeded
  std::size_t size = 0;    ///< bytes on the wire: the body begins there, after an error too

  friend bool operator==(const ResponseHeader&, const ResponseHeader&) = default;
};

/// Reads the header at the start of `bytes` like decode_request_header: as lenient, failing alike,
/// but up to kResponseHeaderBytesMax. The views point into `bytes`. No allocation, any thread.
[[nodiscard]] boost::system::result<std::optional<ResponseHeader>>
decode_response_header(std::span<const std::byte> bytes) noexcept;

/// Appends the header of a success to `out`, byte for byte as Go's server writes it; the reply is
/// the caller's to append.
void append_response_header(
    std::vector<std::byte>& out, std::uint64_t seq, std::string_view method);

/// Appends a whole answer that says `error`: the header and the empty map clients read as its body.
/// `error` is not empty.
void append_error_response(
    std::vector<std::byte>& out,
    std::uint64_t seq,
    std::string_view method,
    std::string_view error);

} // namespace switchyard::netrpc

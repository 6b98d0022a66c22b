// Properties: a header that is read survives being written and read again; the more of it has
// arrived, the less is left to decide; and no peer makes us wait beyond the limit.
#include <proto/msgpack/head.hpp>
#include <proto/netrpc/request.hpp>
#include <proto/netrpc/response.hpp>

#include <cstdlib>

namespace {

using namespace switchyard;
using namespace switchyard::netrpc;

void require(bool condition) {
  if (!condition) std::abort();
}

template <class Header>
void check_prefixes(
    std::span<const std::byte> bytes,
    boost::system::result<std::optional<Header>> (*decode)(std::span<const std::byte>) noexcept) {
  const auto whole = decode(bytes);
  for (std::size_t size = 0; size < bytes.size() && size < 64; ++size) {
    const auto part = decode(bytes.first(size));
    if (!part || *part) require(part == whole);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span{data, size});
  check_prefixes(bytes, decode_request_header);
  check_prefixes(bytes, decode_response_header);

  const auto request = decode_request_header(bytes);
  if (request && !*request) require(size < kRequestHeaderBytesMax + msgpack::kHeadSizeMax);
  if (request && *request) {
    require((*request)->size <= kRequestHeaderBytesMax);
    std::vector<std::byte> written;
    append_request_header(written, (*request)->seq, (*request)->method);
    if (written.size() <= kRequestHeaderBytesMax) {
      auto expected = **request;
      expected.size = written.size();
      require(decode_request_header(written).value() == expected);
    }
  }

  const auto response = decode_response_header(bytes);
  if (response && *response && !(*response)->error.empty()) {
    std::vector<std::byte> written;
    append_error_response(written, (*response)->seq, (*response)->method, (*response)->error);
    auto expected = **response;
    expected.size = written.size() - 1; // the empty map is the body
    if (expected.size <= kResponseHeaderBytesMax) {
      require(decode_response_header(written).value() == expected);
    }
  }
  return 0;
}

#include <proto/msgpack/writer.hpp>
#include <proto/netrpc/header.hpp>
#include <proto/netrpc/response.hpp>

#include <boost/assert.hpp>

namespace switchyard::netrpc {
namespace {

void append_header(
    msgpack::Writer writer, std::uint64_t seq, std::string_view method, std::string_view error) {
  writer.map(3);
  writer.string(kError);
  writer.string(error);
  writer.string(kSeq);
  writer.unsigned_integer(seq);
  writer.string(kServiceMethod);
  writer.string(method);
}

} // namespace

boost::system::result<std::optional<ResponseHeader>>
decode_response_header(std::span<const std::byte> bytes) noexcept {
  ResponseHeader header;
  const HeaderField fields[] = {
      {.name = kServiceMethod, .text = &header.method},
      {.name = kSeq, .number = &header.seq},
      {.name = kError, .text = &header.error},
  };
  const auto size = read_header(bytes, fields, kResponseHeaderBytesMax);
  if (!size) return size.error();
  if (!*size) return std::nullopt;

  header.size = **size;
  return header;
}

void append_response_header(
    std::vector<std::byte>& out, std::uint64_t seq, std::string_view method) {
  append_header(msgpack::Writer{out}, seq, method, {});
}

void append_error_response(
    std::vector<std::byte>& out,
    std::uint64_t seq,
    std::string_view method,
    std::string_view error) {
  BOOST_ASSERT(!error.empty());
  msgpack::Writer writer{out};
  append_header(writer, seq, method, error);
  writer.map(0);
}

} // namespace switchyard::netrpc

#include <proto/msgpack/writer.hpp>
#include <proto/netrpc/header.hpp>
#include <proto/netrpc/request.hpp>

namespace switchyard::netrpc {

boost::system::result<std::optional<RequestHeader>>
decode_request_header(std::span<const std::byte> bytes) noexcept {
  RequestHeader header;
  const HeaderField fields[] = {
      {.name = kServiceMethod, .text = &header.method},
      {.name = kSeq, .number = &header.seq},
  };
  const auto size = read_header(bytes, fields, kRequestHeaderBytesMax);
  if (!size) return size.error();
  if (!*size) return std::nullopt;

  header.size = **size;
  return header;
}

void append_request_header(
    std::vector<std::byte>& out, std::uint64_t seq, std::string_view method) {
  msgpack::Writer writer{out};
  writer.map(2);
  writer.string(kSeq);
  writer.unsigned_integer(seq);
  writer.string(kServiceMethod);
  writer.string(method);
}

} // namespace switchyard::netrpc

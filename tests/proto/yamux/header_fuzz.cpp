// Property: every accepted header survives encode and decode unchanged.
#include <proto/yamux/header.hpp>

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace switchyard::yamux;
  if (size < kHeaderSize) return 0;

  const auto bytes = std::as_bytes(std::span{data, size}).first<kHeaderSize>();
  const auto header = decode_header(bytes);
  if (header && decode_header(encode_header(*header)) != header) std::abort();
  return 0;
}

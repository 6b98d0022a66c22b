// Properties: a decoded value survives being written and read again, its second writing equals its
// first, and reading agrees with msgpack::Extent about where it ends.
#include <proto/msgpack/error.hpp>
#include <proto/msgpack/extent.hpp>
#include <proto/msgpack/value.hpp>

#include <cstdlib>

namespace {

using namespace switchyard::msgpack;

void require(bool condition) {
  if (!condition) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span{data, size});
  const auto decoded = decode_value(bytes);
  const auto extent = Extent{}.scan(bytes);
  if (!decoded) {
    require(
        decoded.error() == Error::WrongType ||
        (extent.has_error() && extent.error() == decoded.error()));
    return 0;
  }
  require(extent.has_value() && extent->has_value() == decoded->has_value());
  if (!*decoded) return 0;
  require((*decoded)->size == **extent);

  std::vector<std::byte> written;
  encode_value((*decoded)->value, written);
  // Only str8 and bin8 of 32 bytes and more grow, by one byte.
  require(written.size() <= (*decoded)->size + (*decoded)->size / 34);

  const auto again = decode_value(written);
  require(again && *again && (*again)->size == written.size());
  std::vector<std::byte> rewritten;
  encode_value((*again)->value, rewritten);
  require(rewritten == written); // not operator==: a NaN is not equal to itself
  return 0;
}

// Properties: any split gives the same verdict, and a reader that skips agrees with it.
#include <proto/msgpack/extent.hpp>
#include <proto/msgpack/reader.hpp>

#include <cstdlib>

namespace {

using namespace switchyard::msgpack;

void require(bool condition) {
  if (!condition) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr Limits kLimits{.bytes_max = 1024, .depth_max = 8};
  const std::size_t step = data[0] % 16U + 1;
  const auto bytes = std::as_bytes(std::span{data + 1, size - 1});

  const auto whole = Extent{kLimits}.scan(bytes);

  Extent extent{kLimits};
  for (std::size_t arrived = 0; arrived < bytes.size(); arrived += step) {
    const auto end = extent.scan(bytes.first(arrived));
    if (!end) require(whole.has_error() && whole.error() == end.error());
    if (end && *end) require(whole && *whole == *end && **end <= arrived);
    require(!end || extent.size_min() <= kLimits.bytes_max);
  }
  require(extent.scan(bytes) == whole);

  Reader in{bytes, kLimits};
  const auto skipped = in.skip();
  switch (in.progress()) {
  case Progress::Good: require(whole && *whole == skipped.size()); break;
  case Progress::Cut: require(whole && !*whole); break;
  case Progress::Malformed: require(whole.has_error() && whole.error() == in.error()); break;
  }
  return 0;
}

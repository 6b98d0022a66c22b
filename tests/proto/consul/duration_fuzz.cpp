// Properties: any text is a duration or is refused with a sentence; what is written of one is read
// as the same.
#include <proto/consul/duration.hpp>

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace switchyard::consul;
  const auto duration = parse_duration({reinterpret_cast<const char*>(data), size});
  if (!duration) {
    if (duration.error().sentence.empty()) std::abort();
    return 0;
  }
  if (*parse_duration(format_duration(*duration)) != *duration) std::abort();
  return 0;
}

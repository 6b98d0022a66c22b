#include <host/isolate/request.hpp>

#include <cstddef>
#include <cstdint>

/// What is read is written so that it is read again as the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace switchyard::host;
  const auto request = parse_isolated_request({reinterpret_cast<const char*>(data), size});
  if (!request) return 0;
  const auto text = to_text(*request);
  const auto again = parse_isolated_request(text);
  if (!again || to_text(*again) != text) __builtin_trap();
  return 0;
}

#include <host/isolate/message.hpp>

#include <cstddef>
#include <cstdint>

/// What is read has exactly the bytes that it was read from.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace switchyard::host;
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  const auto message = decode(bytes);
  if (message && encode(*message) != bytes) __builtin_trap();
  return 0;
}

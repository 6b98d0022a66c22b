#include <host/crash/crash_box.hpp>

#include <cstddef>
#include <cstdint>

/// Any text is a record or none; a record has what a crash writes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto crash =
      switchyard::host::parse_crash_record({reinterpret_cast<const char*>(data), size});
  if (crash && crash->plugin.find(' ') != std::string::npos) __builtin_trap();
  return 0;
}

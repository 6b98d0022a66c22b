#include <host/swap/swap_records.hpp>

#include <cstddef>
#include <cstdint>

/// What is read is written so that it is read again as the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace switchyard::host;
  const auto records = parse_swap_records({reinterpret_cast<const char*>(data), size});
  if (!records) return 0;
  const auto again = parse_swap_records(to_text(*records));
  if (!again || *again != *records) __builtin_trap();
  return 0;
}

// Property: a file is refused with a sentence of one line, or what is known of it lies inside of it
// and a file cut off behind its last byte is refused.
#include <host/plugin/elf.hpp>
#include <host/plugin/verify.hpp>

#include <algorithm>
#include <cstdlib>

namespace {

void expect_inside(std::span<const std::byte> bytes, std::string_view view) {
  const auto* begin = reinterpret_cast<const char*>(bytes.data());
  if (view.data() < begin || view.data() + view.size() > begin + bytes.size()) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace switchyard::host;
  const auto bytes = std::as_bytes(std::span{data, size});
  if (const auto file = read_elf(bytes)) {
    for (const auto& views : {file->manifests, file->exported, file->unique, file->needed}) {
      for (const auto view : views)
        expect_inside(bytes, view);
    }
  } else if (file.error().error == ElfError::Truncated && file.error().number <= size) {
    std::abort();
  }

  const auto verified = verify_plugin("fuzz", "fuzz.so", bytes);
  if (verified) return 0;
  const auto& text = verified.error().text;
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
  if (!text.starts_with("plugin fuzz: ") || std::ranges::any_of(text, control)) std::abort();
  return 0;
}

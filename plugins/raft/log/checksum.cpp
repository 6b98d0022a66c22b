#include <plugins/raft/log/checksum.hpp>

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace switchyard::raft {
namespace {

/// What each byte does to the register, which is kept reflected.
constexpr auto kTable = [] {
  constexpr std::uint32_t kPolynomial = 0x82F63B78;
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    auto state = byte;
    for (int bit = 0; bit < 8; ++bit)
      state = (state >> 1) ^ ((state & 1) != 0 ? kPolynomial : 0);
    table[byte] = state;
  }
  return table;
}();

[[maybe_unused]] std::uint32_t
in_software(std::span<const std::byte> bytes, std::uint32_t state) noexcept {
  for (const auto byte : bytes) {
    state = (state >> 8) ^ kTable[(state ^ std::to_integer<std::uint32_t>(byte)) & 0xFF];
  }
  return state;
}

#if defined(__x86_64__)

/// Eight bytes an instruction; the table above takes one.
__attribute__((target("sse4.2"))) std::uint32_t
in_hardware(std::span<const std::byte> bytes, std::uint32_t state) noexcept {
  std::uint64_t wide = state;
  while (bytes.size() >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    wide = _mm_crc32_u64(wide, word);
    bytes = bytes.subspan(sizeof word);
  }
  auto narrow = static_cast<std::uint32_t>(wide);
  for (const auto byte : bytes)
    narrow = _mm_crc32_u8(narrow, std::to_integer<std::uint8_t>(byte));
  return narrow;
}

std::uint32_t update(std::span<const std::byte> bytes, std::uint32_t state) noexcept {
  static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  return has_instruction ? in_hardware(bytes, state) : in_software(bytes, state);
}

#else

std::uint32_t update(std::span<const std::byte> bytes, std::uint32_t state) noexcept {
  return in_software(bytes, state);
}

#endif

} // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before) noexcept {
  return update(bytes, before ^ 0xFFFFFFFF) ^ 0xFFFFFFFF;
}

} // namespace switchyard::raft

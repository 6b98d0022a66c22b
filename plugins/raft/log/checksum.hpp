#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace switchyard::raft {

/// CRC-32C (Castagnoli), RFC 3720 appendix B.4, of what `before` is the checksum of and then
/// `bytes`. Pure, any thread.
[[nodiscard]] std::uint32_t
crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0) noexcept;

} // namespace switchyard::raft

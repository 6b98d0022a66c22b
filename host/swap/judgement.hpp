#pragma once

#include <cstdint>

namespace switchyard::host {

/// What became of the connections of a generation.
struct ConnectionAccount {
  std::uint64_t taken = 0;
  std::uint64_t failed = 0; ///< not taken after all, or closed as "internal"
};

/// Fewer connections than this say nothing.
inline constexpr std::uint64_t kJudgedFrom = 10;

/// Whether the new generation fails more than `errors` of a hundred of its connections, and more
/// than twice as often as the one before it did: what ails both is not the new one's fault. Pure.
[[nodiscard]] bool fails_too_often(
    const ConnectionAccount& fresh, const ConnectionAccount& before, std::uint32_t errors) noexcept;

} // namespace switchyard::host

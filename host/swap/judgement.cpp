#include <host/swap/judgement.hpp>

namespace switchyard::host {

bool fails_too_often(
    const ConnectionAccount& fresh,
    const ConnectionAccount& before,
    std::uint32_t errors) noexcept {
  if (fresh.taken < kJudgedFrom || fresh.failed * 100 <= errors * fresh.taken) return false;
  return fresh.failed * before.taken > 2 * before.failed * fresh.taken || before.taken == 0;
}

} // namespace switchyard::host

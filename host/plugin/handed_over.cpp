#include <host/plugin/handed_over.hpp>

#include <algorithm>

namespace switchyard::host {
namespace {

bool among(std::uint32_t version, std::uint32_t own, const std::vector<std::uint32_t>& others) {
  return version == own || std::ranges::find(others, version) != others.end();
}

} // namespace

std::optional<std::uint32_t> common_format(const StateFormats& from, const StateFormats& to) {
  std::optional<std::uint32_t> newest;
  const auto consider = [&](std::uint32_t version) {
    if (among(version, to.version, to.reads)) newest = std::max(newest.value_or(0), version);
  };
  consider(from.version);
  for (const auto version : from.writes)
    consider(version);
  return newest;
}

} // namespace switchyard::host

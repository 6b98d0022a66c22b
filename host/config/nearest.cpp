#include "nearest.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace switchyard::host {
namespace {

// Longer words are not keys of ours; the distance below takes time with the product of both
// lengths.
constexpr std::size_t kLongest = 64;
constexpr std::size_t kSlipsMax = 4;

/// Levenshtein's distance: insertions, deletions and replacements of one character.
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const auto replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, diagonal + 1, replaced});
    }
  }
  return row.back();
}

} // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> known) {
  if (word.size() > kLongest) return {};

  std::string_view best;
  auto best_distance = std::min(kSlipsMax, (word.size() + 1) / 2) + 1;
  for (const auto candidate : known) {
    const auto apart = distance(word, candidate);
    if (apart < best_distance) {
      best = candidate;
      best_distance = apart;
    }
  }
  return best;
}

} // namespace switchyard::host

#include <proto/sniff/alpn.hpp>

#include <algorithm>

namespace switchyard::sniff {
namespace {

/// Takes the first name off `list`; empty if the list does not begin with one.
std::string_view take_name(std::string_view& list) noexcept {
  const auto size = list.empty() ? 0U : static_cast<unsigned char>(list[0]);
  if (size == 0 || size >= list.size()) return {};
  const auto name = list.substr(1, size);
  list.remove_prefix(1 + size);
  return name;
}

} // namespace

std::optional<std::uint8_t> tag_of(std::string_view name) noexcept {
  const auto* found = std::ranges::find(kAlpnNames, name, &AlpnName::name);
  return found != kAlpnNames.end() ? found->tag : std::nullopt;
}

std::string_view alpn_of(std::uint8_t tag) noexcept {
  const auto* found = std::ranges::find(kAlpnNames, std::optional{tag}, &AlpnName::tag);
  return found != kAlpnNames.end() ? found->name : std::string_view{};
}

std::optional<std::vector<std::string_view>> split_alpn(std::string_view list) {
  std::vector<std::string_view> names;
  do {
    const auto name = take_name(list);
    if (name.empty()) return std::nullopt;
    names.push_back(name);
  } while (!list.empty());
  return names;
}

std::string_view choose_alpn(std::string_view list, std::span<const std::string> ours) noexcept {
  std::string_view chosen;
  auto best = ours.size();
  while (!list.empty()) {
    const auto name = take_name(list);
    if (name.empty()) return {};
    const auto found = std::find(ours.begin(), ours.end(), name);
    const auto place = static_cast<std::size_t>(found - ours.begin());
    if (place < best) {
      best = place;
      chosen = name;
    }
  }
  return chosen;
}

} // namespace switchyard::sniff

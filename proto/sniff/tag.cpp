#include <proto/sniff/tag.hpp>

namespace switchyard::sniff {

std::string_view tag_name(std::uint8_t tag) noexcept {
  return tag < kTags.size() ? kTags[tag].name : std::string_view{};
}

} // namespace switchyard::sniff

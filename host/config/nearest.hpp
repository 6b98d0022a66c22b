#pragma once

#include <span>
#include <string_view>

namespace switchyard::host {

/// The word of `known` that `word` is most likely a slip of; empty when none is near. Pure.
[[nodiscard]] std::string_view
nearest(std::string_view word, std::span<const std::string_view> known);

} // namespace switchyard::host

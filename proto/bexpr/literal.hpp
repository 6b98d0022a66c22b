#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace switchyard::bexpr {

/// The text that a Go string literal stands for, quotes included: "…" with escapes, `…` without.
/// Nothing when Go's strconv.Unquote would refuse it.
[[nodiscard]] std::optional<std::string> unquote(std::string_view literal);

/// `text` as Go's %q would show it, as far as errors need it.
[[nodiscard]] std::string quote(std::string_view text);

} // namespace switchyard::bexpr

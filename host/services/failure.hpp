#pragma once

#include <switchyard/status.h>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace switchyard::host {

/// Fills `error` (null: nobody asked) as far as its struct_size and text reach, and returns `code`.
inline sy_status fail(sy_error* error, sy_status code, std::string_view text) noexcept {
  if (error != nullptr && error->struct_size >= sizeof(sy_error)) {
    const auto size = std::min(text.size(), sizeof(error->text) - 1);
    error->code = code;
    std::memcpy(error->text, text.data(), size);
    error->text[size] = '\0';
  }
  return code;
}

/// What a plugin said of its failure in an `error` of ours, whether or not it ended the text.
inline std::string_view said(const sy_error& error) noexcept {
  const std::string_view text{error.text, strnlen(error.text, sizeof(error.text))};
  return text.empty() ? "it does not say why" : text;
}

} // namespace switchyard::host

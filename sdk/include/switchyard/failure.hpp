#pragma once

#include <switchyard/status.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <string>
#include <string_view>

namespace switchyard {

/// Why a plugin cannot do what the host asked: a status and one sentence for the operator. Thrown
/// by the control functions of a plugin (init, start, activate, …), never on the data path.
class Failure : public std::exception {
public:
  /// `status` is not SY_OK.
  Failure(sy_status status, std::string text) : status_{status}, text_{std::move(text)} {}

  [[nodiscard]] sy_status status() const noexcept { return status_; }

  [[nodiscard]] const char* what() const noexcept override { return text_.c_str(); }

private:
  sy_status status_;
  std::string text_;
};

/// Fills `error`, which may be null, as its callee does; returns `status`. A sentence that is too
/// long is cut between two UTF-8 characters.
inline sy_status fill(sy_error* error, sy_status status, std::string_view text) noexcept {
  if (error == nullptr) return status;
  auto size = std::min<std::size_t>(text.size(), SY_ERROR_TEXT_SIZE - 1);
  const auto continues = [&](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
  };
  if (size < text.size()) {
    while (size > 0 && continues(size))
      --size;
  }
  std::copy_n(text.data(), size, error->text);
  error->text[size] = '\0';
  error->code = status;
  return status;
}

/// An empty sy_error to pass to a callee.
[[nodiscard]] inline sy_error make_error() noexcept {
  sy_error error{};
  error.struct_size = sizeof error;
  return error;
}

/// Throws what a callee reported, unless that is SY_OK.
inline void throw_unless_ok(sy_status status, const sy_error& error) {
  if (status != SY_OK) throw Failure{status, static_cast<const char*>(error.text)};
}

} // namespace switchyard

#pragma once

#include <cstdint>
#include <string_view>

namespace switchyard::bexpr {

/// The type of the values that an expression is evaluated on, by which it is checked beforehand.
/// Shapes have static storage.
struct Shape {
  enum class Kind : std::uint8_t {
    Text,
    Boolean,
    Signed,
    Unsigned,
    Real,
    List,       ///< of `element`s
    Map,        ///< of text to `element`s
    Structure,  ///< of what `member` finds
    Unsearched, ///< cannot be selected
  };

  Kind kind = Kind::Unsearched;
  const Shape* element = nullptr;

  /// The shape of the field that selectors call `name`; null without one.
  const Shape* (*member)(std::string_view name) = nullptr;
};

} // namespace switchyard::bexpr

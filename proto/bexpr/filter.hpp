#pragma once

#include <proto/bexpr/expression.hpp>
#include <proto/bexpr/shape.hpp>
#include <proto/msgpack/value.hpp>

#include <memory>

namespace switchyard::bexpr {

/// An expression, checked against the shape of the values that it is for.
class Filter {
public:
  /// Reads and checks `text`. `shape`: a structure; outlives the filter.
  /// Refused with go-bexpr's sentence: a selector or an operator that the shape has not, a value
  /// that does not fit, a regular expression (RE2's syntax) that is none; with ours: bad syntax.
  [[nodiscard]] static boost::system::result<Filter, Refusal>
  create(std::string_view text, const Shape& shape);

  Filter(Filter&&) noexcept;
  Filter& operator=(Filter&&) noexcept;
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;
  ~Filter();

  /// Evaluates it on a structure as it is encoded for the wire. Where a selector passes through a
  /// list one element is enough; a key that a map has not equals nothing. Any thread.
  [[nodiscard]] bool matches(const msgpack::Value& structure) const;

private:
  struct Node;

  Filter(const Shape& shape, std::unique_ptr<Node> root) noexcept;

  const Shape* shape_;
  std::unique_ptr<Node> root_;
};

} // namespace switchyard::bexpr

#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace switchyard::bexpr {

/// No expression is longer, in bytes.
inline constexpr std::size_t kTextMax = 64U << 10;

/// Parentheses and negations inside each other: Go has no such limit.
inline constexpr std::uint32_t kDepthMax = 64;

enum class Operator : std::uint8_t {
  Equal,
  NotEqual,
  In,
  NotIn,
  IsEmpty,
  IsNotEmpty,
  Matches,
  NotMatches,
};

/// "Not Equal" and the like: how errors name it.
[[nodiscard]] std::string_view name(Operator) noexcept;

/// What is compared with what.
struct Match {
  std::vector<std::string> selector; ///< names from the outermost on; at least one
  Operator op = Operator::Equal;
  std::optional<std::string> value{}; ///< nothing for IsEmpty and IsNotEmpty
};

struct Expression;

/// True when its one operand is not.
struct Not {
  std::vector<Expression> operand;
};

/// True when all are, looked at from the left until one is not.
struct And {
  std::vector<Expression> operands;
};

/// True when one is, looked at from the left until then.
struct Or {
  std::vector<Expression> operands;
};

struct Expression {
  std::variant<Match, Not, And, Or> content;
};

/// Why a text is no expression, or none for what it is to filter: a sentence for who wrote it.
struct Refusal {
  std::string sentence;
};

/// Reads an expression in the language of go-bexpr 0.1.2. Allocates; any thread.
[[nodiscard]] boost::system::result<Expression, Refusal> parse(std::string_view text);

} // namespace switchyard::bexpr

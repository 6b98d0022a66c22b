#include <proto/bexpr/filter.hpp>
#include <proto/bexpr/literal.hpp>

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <span>

namespace switchyard::bexpr {
namespace {

using Kind = Shape::Kind;

/// A value of the expression as the type of what it is compared with.
using Operand =
    std::variant<std::monostate, std::string, bool, std::int64_t, std::uint64_t, double>;

/// A match that has been checked: what it says of the values is known to make sense.
struct Test {
  std::vector<std::string> selector;
  Operator op;
  Operand value;
  std::unique_ptr<RE2> pattern;
};

std::string joined(std::span<const std::string> selector) {
  std::string text;
  for (const auto& name : selector)
    (text += text.empty() ? "" : ".") += name;
  return quote(text);
}

/// Why a value cannot be what it is compared with.
enum class Wrong : std::uint8_t { Syntax, Range };

template <class Value>
using Coerced = boost::system::result<Value, Wrong>;

/// The whole of `text` as a number in the base that Go's prefixes name.
template <class Number>
Coerced<Number> integer(std::string_view text) {
  const auto negative = std::signed_integral<Number> && text.starts_with('-');
  if (negative || (std::signed_integral<Number> && text.starts_with('+'))) text.remove_prefix(1);
  auto base = 10;
  constexpr std::pair<std::string_view, int> kPrefixes[] = {
      {"0x", 16}, {"0X", 16}, {"0b", 2}, {"0B", 2}, {"0o", 8}, {"0O", 8}};
  for (const auto& [prefix, of] : kPrefixes) {
    if (!text.starts_with(prefix)) continue;
    base = of;
    text.remove_prefix(prefix.size());
    break;
  }
  if (base == 10 && text.size() > 1 && text.starts_with('0')) base = 8;
  std::uint64_t magnitude = 0;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, magnitude, base);
  if (text.empty() || at != end || error == std::errc::invalid_argument) return Wrong::Syntax;
  const auto most = static_cast<std::uint64_t>(std::numeric_limits<Number>::max());
  if (error != std::errc{} || magnitude > most + (negative ? 1 : 0)) return Wrong::Range;
  return static_cast<Number>(negative ? 0 - magnitude : magnitude);
}

Coerced<double> real(std::string_view text) {
  double number = 0;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || at != end || error == std::errc::invalid_argument) return Wrong::Syntax;
  if (error != std::errc{}) return Wrong::Range;
  return number;
}

Coerced<bool> boolean(std::string_view text) {
  constexpr std::string_view kTrue[] = {"1", "t", "T", "true", "TRUE", "True"};
  constexpr std::string_view kFalse[] = {"0", "f", "F", "false", "FALSE", "False"};
  if (std::ranges::find(kTrue, text) != std::end(kTrue)) return true;
  if (std::ranges::find(kFalse, text) != std::end(kFalse)) return false;
  return Wrong::Syntax;
}

bool primitive(Kind kind) {
  return kind <= Kind::Real;
}

/// What is compared: the elements of a list, else the value itself.
Kind compared(const Shape& shape) {
  return shape.kind == Kind::List ? shape.element->kind : shape.kind;
}

/// Go's function for it, which its errors name.
std::string_view parser(Kind kind) {
  switch (kind) {
  case Kind::Boolean: return "ParseBool";
  case Kind::Signed: return "ParseInt";
  case Kind::Unsigned: return "ParseUint";
  default: return "ParseFloat";
  }
}

Coerced<Operand> coerce(Kind kind, const std::string& text) {
  const auto operand = [](auto value) -> Coerced<Operand> {
    if (!value) return value.error();
    return Operand{*value};
  };
  switch (kind) {
  case Kind::Boolean: return operand(boolean(text));
  case Kind::Signed: return operand(integer<std::int64_t>(text));
  case Kind::Unsigned: return operand(integer<std::uint64_t>(text));
  case Kind::Real: return operand(real(text));
  default: return Operand{text};
  }
}

bool supports(const Shape& shape, Operator op) {
  switch (op) {
  case Operator::Equal:
  case Operator::NotEqual: return primitive(shape.kind);
  case Operator::Matches:
  case Operator::NotMatches: return shape.kind == Kind::Text;
  case Operator::In:
  case Operator::NotIn:
    return shape.kind == Kind::Text || shape.kind == Kind::Map ||
           (shape.kind == Kind::List && primitive(shape.element->kind));
  case Operator::IsEmpty:
  case Operator::IsNotEmpty: return shape.kind == Kind::List || shape.kind == Kind::Map;
  }
  return false;
}

/// Where `name` leads from `shape`: a list is passed through. Null: nowhere.
const Shape* select(const Shape* shape, std::string_view name) {
  while (shape->kind == Kind::List)
    shape = shape->element;
  const auto* next = shape->kind == Kind::Map         ? shape->element
                     : shape->kind == Kind::Structure ? shape->member(name)
                                                      : nullptr;
  return next != nullptr && next->kind != Kind::Unsearched ? next : nullptr;
}

boost::system::result<Test, Refusal> check(Match match, const Shape& structure) {
  const auto* shape = &structure;
  for (std::size_t i = 0; i < match.selector.size(); ++i) {
    shape = select(shape, match.selector[i]);
    if (shape == nullptr) {
      return Refusal{
          "Selector " + joined(std::span{match.selector}.first(i + 1)) + " is not valid"};
    }
  }
  const auto selector = joined(match.selector);
  if (!supports(*shape, match.op)) {
    return Refusal{"Invalid match operator " + quote(name(match.op)) + " for selector " + selector};
  }
  Test test{std::move(match.selector), match.op, {}, nullptr};
  if (!match.value) return test;
  auto value = coerce(compared(*shape), *match.value);
  if (!value) {
    return Refusal{
        "Failed to coerce value " + quote(*match.value) + " for selector " + selector +
        ": strconv." + std::string{parser(compared(*shape))} + ": parsing " + quote(*match.value) +
        (value.error() == Wrong::Syntax ? ": invalid syntax" : ": value out of range")};
  }
  test.value = std::move(*value);
  if (match.op == Operator::Matches || match.op == Operator::NotMatches) {
    test.pattern = std::make_unique<RE2>(*match.value, RE2::Quiet);
    if (!test.pattern->ok()) {
      return Refusal{
          "Failed to compile regular expression " + quote(*match.value) + ": " +
          test.pattern->error()};
    }
  }
  return test;
}

bool equal(const Operand& value, const msgpack::Value& with) {
  return std::visit(
      [&]<class Value>(const Value& one) {
        if constexpr (std::is_same_v<Value, std::int64_t>) {
          // Not negative, it is written as an unsigned integer.
          if (const auto* other = std::get_if<std::uint64_t>(&with.content)) {
            return std::cmp_equal(one, *other);
          }
        }
        const auto* other = std::get_if<Value>(&with.content);
        return other != nullptr && *other == one;
      },
      value);
}

bool contains(const msgpack::Value& value, const Operand& what) {
  if (const auto* list = std::get_if<msgpack::Value::Array>(&value.content)) {
    return std::ranges::any_of(*list, [&](const auto& element) { return equal(what, element); });
  }
  if (const auto* map = std::get_if<msgpack::Value::Map>(&value.content)) {
    return std::ranges::any_of(*map, [&](const auto& pair) { return equal(what, pair.key); });
  }
  const auto* text = std::get_if<std::string>(&value.content);
  const auto* part = std::get_if<std::string>(&what);
  return text != nullptr && part != nullptr && text->find(*part) != std::string::npos;
}

bool found(const RE2& pattern, const msgpack::Value& value) {
  const auto* text = std::get_if<std::string>(&value.content);
  return text != nullptr && RE2::PartialMatch(*text, pattern);
}

bool empty(const msgpack::Value& value) {
  if (const auto* list = std::get_if<msgpack::Value::Array>(&value.content)) return list->empty();
  if (const auto* map = std::get_if<msgpack::Value::Map>(&value.content)) return map->empty();
  return true; // nil
}

bool decide(const Test& test, const msgpack::Value& value) {
  switch (test.op) {
  case Operator::Equal: return equal(test.value, value);
  case Operator::NotEqual: return !equal(test.value, value);
  case Operator::In: return contains(value, test.value);
  case Operator::NotIn: return !contains(value, test.value);
  case Operator::IsEmpty: return empty(value);
  case Operator::IsNotEmpty: return !empty(value);
  case Operator::Matches: return found(*test.pattern, value);
  case Operator::NotMatches: return !found(*test.pattern, value);
  }
  return false;
}

/// What go-bexpr answers where a map has not the key: only these say that something is there.
bool without_key(Operator op) {
  return op != Operator::Equal && op != Operator::IsNotEmpty && op != Operator::In;
}

/// `shape` is that of `value`; `depth` names of the selector have led there.
bool evaluate(
    const Test& test, std::size_t depth, const Shape& shape, const msgpack::Value& value) {
  if (depth == test.selector.size()) return decide(test, value);
  if (shape.kind == Kind::List) {
    const auto* list = std::get_if<msgpack::Value::Array>(&value.content);
    return list != nullptr && std::ranges::any_of(*list, [&](const auto& element) {
             return evaluate(test, depth, *shape.element, element);
           });
  }
  const auto& name = test.selector[depth];
  const auto* found = value.find(name);
  if (found != nullptr) return evaluate(test, depth + 1, *select(&shape, name), *found);
  return shape.kind == Kind::Map && without_key(test.op);
}

} // namespace

struct Filter::Node {
  enum class Word : std::uint8_t { Test, Not, And, Or };

  Word word = Word::Test;
  std::optional<Test> test{};
  std::vector<Node> operands{};

  [[nodiscard]] static boost::system::result<Node, Refusal> check(Expression, const Shape&);
  [[nodiscard]] static boost::system::result<Node, Refusal>
  check(Word word, std::vector<Expression> expressions, const Shape& shape);

  [[nodiscard]] bool matches(const Shape& shape, const msgpack::Value& structure) const;
};

boost::system::result<Filter::Node, Refusal>
Filter::Node::check(Word word, std::vector<Expression> expressions, const Shape& shape) {
  Node node{.word = word};
  for (auto& expression : expressions) {
    auto operand = check(std::move(expression), shape);
    if (!operand) return operand;
    node.operands.push_back(std::move(*operand));
  }
  return node;
}

boost::system::result<Filter::Node, Refusal>
Filter::Node::check(Expression expression, const Shape& shape) {
  auto& content = expression.content;
  if (auto* negation = std::get_if<Not>(&content)) {
    return check(Word::Not, std::move(negation->operand), shape);
  }
  if (auto* all = std::get_if<And>(&content)) {
    return check(Word::And, std::move(all->operands), shape);
  }
  if (auto* any = std::get_if<Or>(&content)) {
    return check(Word::Or, std::move(any->operands), shape);
  }
  auto test = bexpr::check(std::get<Match>(std::move(content)), shape);
  if (!test) return test.error();
  return Node{.test = std::move(*test)};
}

bool Filter::Node::matches(const Shape& shape, const msgpack::Value& structure) const {
  const auto holds = [&](const Node& operand) { return operand.matches(shape, structure); };
  switch (word) {
  case Word::Test: return evaluate(*test, 0, shape, structure);
  case Word::Not: return std::ranges::none_of(operands, holds);
  case Word::And: return std::ranges::all_of(operands, holds);
  case Word::Or: return std::ranges::any_of(operands, holds);
  }
  return false;
}

boost::system::result<Filter, Refusal> Filter::create(std::string_view text, const Shape& shape) {
  auto expression = parse(text);
  if (!expression) return expression.error();
  auto root = Node::check(std::move(*expression), shape);
  if (!root) return root.error();
  return Filter{shape, std::make_unique<Node>(std::move(*root))};
}

Filter::Filter(const Shape& shape, std::unique_ptr<Node> root) noexcept
    : shape_{&shape}, root_{std::move(root)} {}

Filter::Filter(Filter&&) noexcept = default;
Filter& Filter::operator=(Filter&&) noexcept = default;
Filter::~Filter() = default;

bool Filter::matches(const msgpack::Value& structure) const {
  return root_->matches(*shape_, structure);
}

} // namespace switchyard::bexpr

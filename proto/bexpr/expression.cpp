#include <proto/bexpr/expression.hpp>
#include <proto/bexpr/literal.hpp>

#include <algorithm>
#include <utility>

namespace switchyard::bexpr {

std::string_view name(Operator op) noexcept {
  switch (op) {
  case Operator::Equal: return "Equal";
  case Operator::NotEqual: return "Not Equal";
  case Operator::In: return "In";
  case Operator::NotIn: return "Not In";
  case Operator::IsEmpty: return "Is Empty";
  case Operator::IsNotEmpty: return "Is Not Empty";
  case Operator::Matches: return "Matches";
  case Operator::NotMatches: return "Not Matches";
  }
  return "Unknown";
}

namespace {

constexpr bool letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

constexpr bool digit(char c) {
  return c >= '0' && c <= '9';
}

/// Recursive descent over the grammar of go-bexpr. Where that one goes back to try another rule,
/// a position is put back; what has failed for good throws nothing and ends the parsing.
class Parser {
public:
  explicit Parser(std::string_view text) : text_{text} {}

  boost::system::result<Expression, Refusal> input() {
    blank();
    auto expression = disjunction();
    blank();
    if (expression && at_ == text_.size()) return std::move(*expression);
    return refusal();
  }

private:
  std::optional<Expression> disjunction() { return operands<Or>("or", &Parser::conjunction); }

  std::optional<Expression> conjunction() { return operands<And>("and", &Parser::negation); }

  /// One operand, or several with `word` between them.
  template <class Several>
  std::optional<Expression>
  operands(std::string_view word, std::optional<Expression> (Parser::*operand)()) {
    auto first = (this->*operand)();
    if (!first || !infix(word)) return first;
    Several several;
    several.operands.push_back(std::move(*first));
    do {
      auto next = (this->*operand)();
      if (!next) return std::nullopt;
      several.operands.push_back(std::move(*next));
    } while (infix(word));
    return Expression{std::move(several)};
  }

  std::optional<Expression> negation() {
    const auto begin = at_;
    if (word("not") && blank()) {
      const Level level{*this};
      if (!level.allowed) return std::nullopt;
      if (auto operand = negation()) {
        Not negation;
        negation.operand.push_back(std::move(*operand));
        return Expression{std::move(negation)};
      }
      if (refused_) return std::nullopt;
      back(begin); // a selector may have that name
    }
    return grouping();
  }

  std::optional<Expression> grouping() {
    if (!take('(')) return match();
    const Level level{*this};
    if (!level.allowed) return std::nullopt;
    blank();
    auto expression = disjunction();
    if (!expression) return std::nullopt;
    blank();
    if (!take(')')) return fail("Unmatched parentheses");
    return expression;
  }

  std::optional<Expression> match() {
    const auto begin = at_;
    if (auto path = selector()) {
      if (const auto op = comparison()) {
        if (auto text = value()) return Expression{Match{std::move(*path), *op, std::move(*text)}};
      } else if (const auto emptiness = emptiness_of()) {
        return Expression{Match{std::move(*path), *emptiness}};
      }
    }
    if (refused_) return std::nullopt;
    back(begin);
    auto text = value();
    if (!text) return std::nullopt;
    const auto op = membership("in", Operator::In, Operator::NotIn);
    if (!op) return std::nullopt;
    auto path = selector();
    if (!path) return fail("Invalid selector");
    return Expression{Match{std::move(*path), *op, std::move(*text)}};
  }

  std::optional<Operator> comparison() {
    const auto begin = at_;
    blank();
    for (const auto& [sign, op] : {std::pair{"==", Operator::Equal}, {"!=", Operator::NotEqual}}) {
      if (word(sign)) {
        blank();
        return op;
      }
    }
    back(begin);
    if (const auto op = membership("contains", Operator::In, Operator::NotIn)) return op;
    return membership("matches", Operator::Matches, Operator::NotMatches);
  }

  /// " word " or " not word ", with blanks around.
  std::optional<Operator> membership(std::string_view verb, Operator plain, Operator negated) {
    if (infix(verb)) return plain;
    const auto begin = at_;
    if (infix("not") && word(verb) && blank()) return negated;
    back(begin);
    return std::nullopt;
  }

  std::optional<Operator> emptiness_of() {
    const auto begin = at_;
    if (infix("is")) {
      if (word("empty")) return Operator::IsEmpty;
      if (word("not") && blank() && word("empty")) return Operator::IsNotEmpty;
    }
    back(begin);
    return std::nullopt;
  }

  std::optional<std::vector<std::string>> selector() {
    auto first = identifier();
    if (!first) return std::nullopt;
    std::vector<std::string> path{std::move(*first)};
    while (true) {
      const auto begin = at_;
      if (take('.')) {
        if (auto next = identifier()) {
          path.push_back(std::move(*next));
          continue;
        }
      } else if (take('[')) {
        auto key = index();
        if (!key) return std::nullopt;
        path.push_back(std::move(*key));
        continue;
      }
      back(begin);
      return path;
    }
  }

  /// What stands behind an opening bracket, and the closing one.
  std::optional<std::string> index() {
    blank();
    auto key = string();
    if (!key) return fail("Invalid index");
    blank();
    if (!take(']')) return fail("Unclosed index expression");
    return key;
  }

  std::optional<std::string> identifier() {
    if (at_ == text_.size() || !letter(text_[at_])) return std::nullopt;
    const auto begin = at_;
    while (at_ < text_.size() && (letter(text_[at_]) || digit(text_[at_]) || text_[at_] == '_'))
      ++at_;
    return std::string{text_.substr(begin, at_ - begin)};
  }

  /// A selector stands for its own text here.
  std::optional<std::string> value() {
    if (const auto path = selector()) {
      std::string joined;
      for (const auto& name : *path)
        (joined += joined.empty() ? "" : ".") += name;
      return joined;
    }
    if (refused_) return std::nullopt;
    if (auto text = number()) return text;
    return refused_ ? std::nullopt : string();
  }

  std::optional<std::string> number() {
    const auto begin = at_;
    take('-');
    const auto whole = at_;
    while (at_ < text_.size() && digit(text_[at_]) && (at_ == whole || text_[whole] != '0'))
      ++at_;
    if (at_ == whole) {
      back(begin);
      return std::nullopt;
    }
    const auto point = at_;
    if (take('.')) {
      const auto fraction = at_;
      while (at_ < text_.size() && digit(text_[at_]))
        ++at_;
      if (at_ == fraction) at_ = point;
    }
    constexpr std::string_view kAfter = " \t\r\n)";
    if (at_ < text_.size() && kAfter.find(text_[at_]) == kAfter.npos)
      return fail("Invalid number literal");
    return std::string{text_.substr(begin, at_ - begin)};
  }

  std::optional<std::string> string() {
    if (at_ == text_.size() || (text_[at_] != '"' && text_[at_] != '`')) return std::nullopt;
    const auto end = text_.find(text_[at_], at_ + 1);
    if (end == text_.npos) return fail("Unterminated string literal");
    auto text = unquote(text_.substr(at_, end + 1 - at_));
    if (!text) return fail("Invalid string literal");
    at_ = end + 1;
    return text;
  }

  /// Blank, `text`, blank; or nothing is taken.
  bool infix(std::string_view text) {
    const auto begin = at_;
    if (blank() && word(text) && blank()) return true;
    back(begin);
    return false;
  }

  bool word(std::string_view text) {
    if (!text_.substr(at_).starts_with(text)) return false;
    at_ += text.size();
    return true;
  }

  bool take(char c) { return word({&c, 1}); }

  bool blank() {
    const auto begin = at_;
    at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size());
    return at_ > begin;
  }

  /// Another rule is tried from there.
  void back(std::size_t begin) {
    furthest_ = std::max(furthest_, at_);
    at_ = begin;
  }

  std::nullopt_t fail(std::string_view why) {
    if (!refused_) refused_ = at_text(why, at_);
    return std::nullopt;
  }

  [[nodiscard]] Refusal refusal() {
    return {refused_ ? *refused_ : at_text("no match found", std::max(at_, furthest_))};
  }

  [[nodiscard]] std::string at_text(std::string_view why, std::size_t at) const {
    return std::string{why} + " at byte " + std::to_string(at + 1) + " of " +
           std::to_string(text_.size());
  }

  /// One level of parentheses or negation.
  struct Level {
    explicit Level(Parser& in) : parser{in}, allowed{++in.depth_ <= kDepthMax} {
      if (!allowed) parser.fail("Nested too deeply");
    }

    ~Level() { --parser.depth_; }

    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

    Parser& parser;
    bool allowed;
  };

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t furthest_ = 0; ///< that any rule came
  std::uint32_t depth_ = 0;
  std::optional<std::string> refused_; ///< for good, with the place
};

} // namespace

boost::system::result<Expression, Refusal> parse(std::string_view text) {
  if (text.size() > kTextMax) {
    return Refusal{"longer than " + std::to_string(kTextMax) + " bytes"};
  }
  return Parser{text}.input();
}

} // namespace switchyard::bexpr

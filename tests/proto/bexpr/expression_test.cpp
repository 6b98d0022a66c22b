#include <proto/bexpr/expression.hpp>

#include <gtest/gtest.h>

namespace switchyard::bexpr {
namespace {

/// The tree as text: what stands where.
std::string shown(const Expression& expression) {
  const auto several = [](std::string_view word, const std::vector<Expression>& operands) {
    std::string text = "(" + std::string{word};
    for (const auto& operand : operands)
      text += " " + shown(operand);
    return text + ")";
  };
  if (const auto* match = std::get_if<Match>(&expression.content)) {
    std::string text = "[";
    for (const auto& name : match->selector)
      text += name + "|";
    text += std::string{name(match->op)};
    return text + (match->value ? "|" + *match->value : "") + "]";
  }
  if (const auto* negation = std::get_if<Not>(&expression.content))
    return several("not", negation->operand);
  if (const auto* all = std::get_if<And>(&expression.content)) return several("and", all->operands);
  return several("or", std::get<Or>(expression.content).operands);
}

TEST(BexprExpression, ReadsTheLanguageOfGoBexpr) {
  const struct {
    std::string_view text;
    std::string_view tree;
  } cases[] = {
      {"a == b", "[a|Equal|b]"},
      {"a==b", "[a|Equal|b]"},
      {"\t a\n!= \"b c\" ", "[a|Not Equal|b c]"},
      {"a.b.c == 1", "[a|b|c|Equal|1]"},
      {R"(Meta["a.b"].c == `x"y`)", R"([Meta|a.b|c|Equal|x"y])"},
      {R"(Meta[ `k` ] != "")", "[Meta|k|Not Equal|]"},
      {"a == b.c", "[a|Equal|b.c]"},
      {R"(a == b["c"])", "[a|Equal|b.c]"},
      {"a == -12.50", "[a|Equal|-12.50]"},
      {"a == 0", "[a|Equal|0]"},
      {R"(a == "\t\x41\101\u00e9\U0001F600\\")", "[a|Equal|\tAA\u00e9\U0001F600\\]"},
      {"a is empty", "[a|Is Empty]"},
      {"a is  not\tempty", "[a|Is Not Empty]"},
      {"a contains b", "[a|In|b]"},
      {"a not contains b", "[a|Not In|b]"},
      {"b in a", "[a|In|b]"},
      {"\"b\" not in a.c", "[a|c|Not In|b]"},
      {"7 in a", "[a|In|7]"},
      {"a matches `^x.*`", "[a|Matches|^x.*]"},
      {"a not matches b", "[a|Not Matches|b]"},
      {"not a == b", "(not [a|Equal|b])"},
      {"not not a == b", "(not (not [a|Equal|b]))"},
      {"not == b", "[not|Equal|b]"},
      {"not in a", "[a|In|not]"},
      {"a == 1 and b == 2 and c == 3", "(and [a|Equal|1] [b|Equal|2] [c|Equal|3])"},
      {"a == 1 or b == 2 and c == 3", "(or [a|Equal|1] (and [b|Equal|2] [c|Equal|3]))"},
      {"(a == 1 or b == 2) and c == 3", "(and (or [a|Equal|1] [b|Equal|2]) [c|Equal|3])"},
      {"( not (a == 1) )", "(not [a|Equal|1])"},
      {"(a == 1) or (b == 2)", "(or [a|Equal|1] [b|Equal|2])"},
      {"and == or", "[and|Equal|or]"},
  };

  for (const auto& c : cases) {
    const auto expression = parse(c.text);
    ASSERT_TRUE(expression) << c.text << ": " << expression.error().sentence;
    EXPECT_EQ(shown(*expression), c.tree) << c.text;
  }
}

TEST(BexprExpression, SaysWhereATextIsNone) {
  const struct {
    std::string_view text;
    std::string_view sentence;
  } cases[] = {
      {"", "no match found at byte 1 of 0"},
      {"a", "no match found at byte 2 of 1"},
      {"a == ", "no match found at byte 6 of 5"},
      {"a = b", "no match found at byte 3 of 5"},
      {"a == b c", "no match found at byte 8 of 8"},
      {"a == b and", "no match found at byte 11 of 10"},
      {"a == 1 and(b == 2)", "no match found at byte 11 of 18"},
      {"a isempty", "no match found at byte 5 of 9"},
      {"a == 1 or or", "no match found at byte 13 of 12"},
      {"(a == b", "Unmatched parentheses at byte 8 of 7"},
      {"a == 012", "Invalid number literal at byte 7 of 8"},
      {"a == 1x", "Invalid number literal at byte 7 of 7"},
      {"a == 1.", "Invalid number literal at byte 7 of 7"},
      {"a == \"b", "Unterminated string literal at byte 6 of 7"},
      {"a == `b", "Unterminated string literal at byte 6 of 7"},
      {R"(a == "\q")", "Invalid string literal at byte 6 of 9"},
      {R"(a == "\ud800")", "Invalid string literal at byte 6 of 13"},
      {R"(a == "\x4")", "Invalid string literal at byte 6 of 10"},
      {"a[b] == c", "Invalid index at byte 3 of 9"},
      {"a[\"b\" == c", "Unclosed index expression at byte 7 of 10"},
      {"1 in 2", "Invalid selector at byte 6 of 6"},
  };

  for (const auto& c : cases) {
    const auto expression = parse(c.text);
    ASSERT_FALSE(expression) << c.text << ": " << shown(*expression);
    EXPECT_EQ(expression.error().sentence, c.sentence) << c.text;
  }
}

TEST(BexprExpression, IsBounded) {
  const auto nested = [](std::string_view open, std::string_view close, std::size_t levels) {
    std::string text;
    for (std::size_t i = 0; i < levels; ++i)
      text += open;
    text += "a == b";
    for (std::size_t i = 0; i < levels; ++i)
      text += close;
    return text;
  };
  for (const auto& [open, close] : {std::pair{"(", ")"}, {"not ", ""}}) {
    EXPECT_TRUE(parse(nested(open, close, kDepthMax)));
    EXPECT_TRUE(parse(nested(open, close, kDepthMax + 1))
                    .error()
                    .sentence.starts_with("Nested too deeply"));
    EXPECT_TRUE(parse(nested(open, close, 10'000)).has_error());
  }
  std::string wide = "a == b";
  while (wide.size() + 10 <= kTextMax)
    wide += " and a == b";
  EXPECT_TRUE(parse(wide));
  EXPECT_EQ(parse(std::string(kTextMax + 1, ' ')).error().sentence, "longer than 65536 bytes");
}

} // namespace
} // namespace switchyard::bexpr

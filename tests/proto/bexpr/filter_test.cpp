#include <proto/bexpr/filter.hpp>

#include <gtest/gtest.h>
#include <tests/proto/wire.hpp>

#include <fstream>

namespace switchyard::bexpr {
namespace {

using Kind = Shape::Kind;
using test::wire;

constexpr Shape kText{.kind = Kind::Text};
constexpr Shape kBoolean{.kind = Kind::Boolean};
constexpr Shape kSigned{.kind = Kind::Signed};
constexpr Shape kUnsigned{.kind = Kind::Unsigned};
constexpr Shape kReal{.kind = Kind::Real};
constexpr Shape kTexts{.kind = Kind::List, .element = &kText};
constexpr Shape kNumbers{.kind = Kind::List, .element = &kSigned};
constexpr Shape kTextMap{.kind = Kind::Map, .element = &kText};
constexpr Shape kHidden{};
constexpr Shape kHiddenMap{.kind = Kind::Map, .element = &kHidden};

const Shape* path_member(std::string_view name) {
  return name == "Port" ? &kSigned : name == "Path" ? &kText : nullptr;
}

constexpr Shape kPath{.kind = Kind::Structure, .member = path_member};
constexpr Shape kPaths{.kind = Kind::List, .element = &kPath};

const Shape* member(std::string_view name) {
  constexpr std::pair<std::string_view, const Shape*> kMembers[] = {
      {"Name", &kText},
      {"On", &kBoolean},
      {"Delta", &kSigned},
      {"Count", &kUnsigned},
      {"Ratio", &kReal},
      {"Tags", &kTexts},
      {"Ports", &kNumbers},
      {"Meta", &kTextMap},
      {"Secret", &kHidden},
      {"Any", &kHiddenMap},
      {"First", &kPath},
      {"Paths", &kPaths},
  };
  for (const auto& [known, shape] : kMembers) {
    if (known == name) return shape;
  }
  return nullptr;
}

constexpr Shape kShape{.kind = Kind::Structure, .member = member};

msgpack::Value value(std::string_view notation) {
  return (*msgpack::decode_value(wire(notation)))->value;
}

const msgpack::Value& full() {
  static const auto all = value(
      "8b a4 'Name' a3 'web' a2 'On' c3 a5 'Delta' fd a5 'Count' 07 a5 'Ratio' cb 3f f8 00 00 00 "
      "00 00 00 "
      "a4 'Tags' 92 a2 'v1' a2 'v2' a5 'Ports' 92 50 fb a4 'Meta' 82 a3 'env' a4 'prod' a1 'x' a0 "
      "a3 'Any' 81 a1 'k' 01 a5 'First' 82 a4 'Port' 01 a4 'Path' a1 'a' "
      "a5 'Paths' 92 82 a4 'Port' 01 a4 'Path' a1 'a' 82 a4 'Port' 02 a4 'Path' a2 'bb'");
  return all;
}

const msgpack::Value& bare() {
  static const auto all =
      value("8b a4 'Name' a0 a2 'On' c2 a5 'Delta' 00 a5 'Count' 00 a5 'Ratio' cb 00 00 00 00 00 "
            "00 00 00 "
            "a4 'Tags' c0 a5 'Ports' 90 a4 'Meta' c0 a3 'Any' c0 a5 'First' 82 a4 'Port' 00 a4 "
            "'Path' a0 a5 'Paths' c0");
  return all;
}

/// Of what go-bexpr said, where ours says something else (proto/bexpr/README.md).
bool differs(std::string_view expression) {
  return expression == R"(Count == "1_000")" || expression == R"(Ratio == "0x1p-2")";
}

/// What becomes of `expression`, as tests/vectors/go-bexpr/decisions.txt has it.
std::string outcome(std::string_view expression) {
  if (!parse(expression)) return "syntax";
  const auto filter = Filter::create(expression, kShape);
  if (!filter) return filter.error().sentence;
  return std::string{filter->matches(full()) ? "T" : "F"} + (filter->matches(bare()) ? "T" : "F");
}

TEST(BexprFilter, DoesWhatGoBexprDoes) {
  std::ifstream decisions{SWITCHYARD_SOURCE_DIR "/tests/vectors/go-bexpr/decisions.txt"};
  std::size_t seen = 0;
  for (std::string line; std::getline(decisions, line); ++seen) {
    // A sentence has no tab in it, an expression may.
    const auto tab = line.find('\t');
    ASSERT_NE(tab, line.npos) << line;
    const auto expected = line.substr(0, tab);
    const auto expression = line.substr(tab + 1);
    if (differs(expression)) continue;
    const auto ours = outcome(expression);
    const auto regular = expected.starts_with("Failed to compile regular expression");
    // RE2 has words of its own for what is wrong.
    EXPECT_EQ(regular ? ours.substr(0, 40) : ours, regular ? expected.substr(0, 40) : expected)
        << expression;
  }
  EXPECT_GT(seen, 900U);
}

} // namespace
} // namespace switchyard::bexpr

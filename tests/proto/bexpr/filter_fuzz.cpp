// Properties: any text is a filter or is refused with a sentence; a filter decides about any value,
// and its negation decides otherwise.
#include <proto/bexpr/filter.hpp>

#include <cstdlib>

namespace {

using namespace switchyard;
using Kind = bexpr::Shape::Kind;

constexpr bexpr::Shape kText{.kind = Kind::Text};
constexpr bexpr::Shape kNumber{.kind = Kind::Signed};
constexpr bexpr::Shape kTexts{.kind = Kind::List, .element = &kText};
constexpr bexpr::Shape kMap{.kind = Kind::Map, .element = &kTexts};

extern const bexpr::Shape kShape;
constexpr bexpr::Shape kStructures{.kind = Kind::List, .element = &kShape};

/// By the first letter, so that a fuzzer finds each; one leads back to the beginning.
const bexpr::Shape* member(std::string_view name) {
  switch (name.front()) {
  case 'a': return &kText;
  case 'b': return &kNumber;
  case 'c': return &kTexts;
  case 'd': return &kMap;
  case 'e': return &kStructures;
  case 'f': return &kShape;
  default: return nullptr;
  }
}

const bexpr::Shape kShape{.kind = Kind::Structure, .member = member};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  const auto end = input.find('\0');
  const auto text = input.substr(0, end);
  const auto filter = bexpr::Filter::create(text, kShape);
  if (!filter) {
    if (filter.error().sentence.empty()) std::abort();
    return 0;
  }
  const auto negation = bexpr::Filter::create("not (" + std::string{text} + ")", kShape);
  if (end == input.npos) return 0;
  const auto value =
      msgpack::decode_value(std::as_bytes(std::span{input.substr(end + 1)}), {.bytes_max = 4096});
  if (!value || !*value) return 0;
  const auto decided = filter->matches((*value)->value);
  if (negation && negation->matches((*value)->value) == decided) std::abort();
  return 0;
}

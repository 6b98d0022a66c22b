#include <proto/msgpack/reader.hpp>
#include <proto/msgpack/value.hpp>
#include <proto/msgpack/writer.hpp>

#include <algorithm>
#include <bit>

namespace switchyard::msgpack {
namespace {

/// Recursion ends at Limits::depth_max, which the reader enforces.
std::optional<Error> read(Reader& in, Value& value) {
  const auto [head, payload] = in.token();
  switch (head.kind) {
  case Kind::Nil: break;
  case Kind::Bool: value.content = head.number == 1; break;
  case Kind::Unsigned: value.content = head.number; break;
  case Kind::Signed:
    if (const auto number = static_cast<std::int64_t>(head.number); number < 0) {
      value.content = number;
    } else {
      value.content = head.number;
    }
    break;
  case Kind::Float32:
    value.content = std::bit_cast<float>(static_cast<std::uint32_t>(head.number));
    break;
  case Kind::Float64: value.content = std::bit_cast<double>(head.number); break;
  case Kind::String:
  case Kind::Binary: value.content = std::string{payload}; break;
  case Kind::Array: {
    auto& elements = value.content.emplace<Value::Array>();
    for (auto left = head.number; left != 0 && in.progress() == Progress::Good; --left) {
      if (const auto error = read(in, elements.emplace_back())) return error;
    }
    break;
  }
  case Kind::Map: {
    auto& pairs = value.content.emplace<Value::Map>();
    for (auto left = head.number; left != 0 && in.progress() == Progress::Good; --left) {
      auto& pair = pairs.emplace_back();
      if (const auto error = read(in, pair.key)) return error;
      if (const auto error = read(in, pair.value)) return error;
    }
    break;
  }
  case Kind::Extension:
  case Kind::Reserved: return Error::WrongType;
  }
  if (in.progress() == Progress::Malformed) return in.error();
  return std::nullopt;
}

/// Writes one content; recursion is as deep as the tree.
struct Write {
  Writer& out;

  void operator()(std::monostate) const { out.nil(); }

  void operator()(bool value) const { out.boolean(value); }

  void operator()(std::uint64_t value) const { out.unsigned_integer(value); }

  void operator()(std::int64_t value) const { out.signed_integer(value); }

  void operator()(float value) const { out.float32(value); }

  void operator()(double value) const { out.float64(value); }

  void operator()(const std::string& value) const { out.string(value); }

  void operator()(const Value::Array& elements) const {
    out.array(static_cast<std::uint32_t>(elements.size()));
    for (const auto& element : elements)
      std::visit(*this, element.content);
  }

  void operator()(const Value::Map& pairs) const {
    out.map(static_cast<std::uint32_t>(pairs.size()));
    for (const auto& [key, value] : pairs) {
      std::visit(*this, key.content);
      std::visit(*this, value.content);
    }
  }
};

} // namespace

const Value* Value::find(std::string_view key) const noexcept {
  const auto* pairs = std::get_if<Map>(&content);
  if (pairs == nullptr) return nullptr;
  const auto found = std::find_if(pairs->rbegin(), pairs->rend(), [key](const Pair& pair) {
    const auto* name = std::get_if<std::string>(&pair.key.content);
    return name != nullptr && *name == key;
  });
  return found != pairs->rend() ? &found->value : nullptr;
}

bool operator==(const Value& left, const Value& right) {
  return left.content == right.content;
}

boost::system::result<std::optional<DecodedValue>>
decode_value(std::span<const std::byte> bytes, const Limits& limits) {
  Reader in{bytes, limits};
  DecodedValue decoded;
  if (const auto error = read(in, decoded.value)) return *error;
  if (in.progress() == Progress::Cut) return std::nullopt;
  decoded.size = in.size();
  return decoded;
}

void encode_value(const Value& value, std::vector<std::byte>& out) {
  Writer writer{out};
  std::visit(Write{writer}, value.content);
}

} // namespace switchyard::msgpack

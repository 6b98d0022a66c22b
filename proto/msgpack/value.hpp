#pragma once

#include <proto/msgpack/limits.hpp>

#include <boost/system/result.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace switchyard::msgpack {

struct Pair;

/// Any object as a tree that owns its content, for tools and tests; a service reads its structures
/// with a Reader and skips what it does not know. Maps keep the order they had on the wire, so what
/// Consul wrote comes out byte for byte. What others may write differently comes out as Consul
/// would write it: bin as str, integers in the smallest format.
struct Value {
  using Array = std::vector<Value>;
  using Map = std::vector<Pair>;

  /// An integer is std::int64_t exactly when it is negative.
  std::variant<
      std::monostate,
      bool,
      std::uint64_t,
      std::int64_t,
      float,
      double,
      std::string,
      Array,
      Map>
      content;

  /// The value of `key`, the last one if there are several; null without one or if this is no map.
  [[nodiscard]] const Value* find(std::string_view key) const noexcept;

  friend bool operator==(const Value&, const Value&);
};

struct Pair {
  Value key;
  Value value;

  friend bool operator==(const Pair&, const Pair&) = default;
};

/// A decoded object and the bytes it took.
struct DecodedValue {
  Value value;
  std::size_t size = 0;
};

/// Reads the object at the start of `bytes`; nullopt while it is cut short. Fails with any Error;
/// with WrongType only for an extension, which no Go program in this dialect writes.
/// The tree may take some 50 times the bytes: set `limits` accordingly.
[[nodiscard]] boost::system::result<std::optional<DecodedValue>>
decode_value(std::span<const std::byte> bytes, const Limits& limits = {});

/// Appends `value` to `out`.
void encode_value(const Value& value, std::vector<std::byte>& out);

} // namespace switchyard::msgpack

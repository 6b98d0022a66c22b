#pragma once

#include <proto/bexpr/shape.hpp>
#include <proto/msgpack/reader.hpp>
#include <proto/msgpack/writer.hpp>

#include <boost/system/result.hpp>

#include <concepts>
#include <cstddef>
#include <span>
#include <vector>

namespace switchyard::consul {

/// One key of a Go struct: how the value behind it is read into, and written from, an object that
/// holds it, and what filters may do with it.
struct Field {
  std::string_view key;
  const bexpr::Shape* shape;
  void (*read)(msgpack::Reader& reader, void* object);
  void (*write)(msgpack::Writer& writer, const void* object);
};

/// All fields of a Go struct, embedded ones among them, in ascending order of their keys.
using Structure = std::span<const Field>;

/// A C++ type that is one of Consul's structures. `Type::structure()` has static storage.
template <class Type>
concept Structured = requires {
  { Type::structure() } -> std::same_as<Structure>;
};

/// Reads a map by its keys as go-msgpack reads a struct: any order, unknown keys skipped with their
/// value, the last of equal ones counting, missing and nil ones left as they are; nil for the whole
/// is a map without pairs. What is wrong stays in `reader`. `object` is what the fields belong to.
void read_structure(msgpack::Reader& reader, Structure structure, void* object);

/// Writes a map of all fields. `object` is what the fields belong to.
void write_structure(msgpack::Writer& writer, Structure structure, const void* object);

/// The shape of the field with that key; null without one.
[[nodiscard]] const bexpr::Shape* find_shape(Structure structure, std::string_view key) noexcept;

/// Says what `reader` has come to: no error, Error::Incomplete or a msgpack::Error.
[[nodiscard]] boost::system::error_code outcome(const msgpack::Reader& reader) noexcept;

/// Reads the body of a call or a command of the state machine: one object. Bytes behind it do no
/// harm. Fails with Error::Incomplete or a msgpack::Error. Allocates; any thread.
template <Structured Type>
[[nodiscard]] boost::system::result<Type>
decode(std::span<const std::byte> body, const msgpack::Limits& limits = {}) {
  msgpack::Reader reader{body, limits};
  Type object;
  read_structure(reader, Type::structure(), &object);
  if (const auto error = outcome(reader)) return error;
  return object;
}

/// Appends `object` as Consul 1.8.7 writes it: every field, always.
template <Structured Type>
void encode(const Type& object, std::vector<std::byte>& out) {
  msgpack::Writer writer{out};
  write_structure(writer, Type::structure(), &object);
}

/// What filters may select in a `Type`.
template <Structured Type>
inline constexpr bexpr::Shape kShape{
    .kind = bexpr::Shape::Kind::Structure,
    .member = [](std::string_view key) { return find_shape(Type::structure(), key); },
};

} // namespace switchyard::consul

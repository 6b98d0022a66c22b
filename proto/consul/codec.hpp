#pragma once

#include <proto/consul/structure.hpp>
#include <proto/consul/value.hpp>

#include <algorithm>
#include <array>
#include <chrono>

// How values of each type are read and written, and how a structure lists its fields. For the files
// that define structures; who uses these includes structure.hpp at most.

namespace switchyard::consul {

template <class Value>
struct Codec;

template <std::unsigned_integral Value>
struct Codec<Value> {
  static constexpr bexpr::Shape kShape{.kind = bexpr::Shape::Kind::Unsigned};

  static void read(msgpack::Reader& reader, Value& value) { value = reader.unsigned_integer(); }

  static void write(msgpack::Writer& writer, Value value) { writer.unsigned_integer(value); }
};

template <>
struct Codec<std::int64_t> {
  static constexpr bexpr::Shape kShape{.kind = bexpr::Shape::Kind::Signed};

  static void read(msgpack::Reader& reader, std::int64_t& value) {
    value = reader.signed_integer();
  }

  static void write(msgpack::Writer& writer, std::int64_t value) { writer.signed_integer(value); }
};

template <>
struct Codec<bool> {
  static constexpr bexpr::Shape kShape{.kind = bexpr::Shape::Kind::Boolean};

  static void read(msgpack::Reader& reader, bool& value) { value = reader.boolean(); }

  static void write(msgpack::Writer& writer, bool value) { writer.boolean(value); }
};

template <>
struct Codec<double> {
  static constexpr bexpr::Shape kShape{.kind = bexpr::Shape::Kind::Real};

  static void read(msgpack::Reader& reader, double& value) { value = reader.real(); }

  static void write(msgpack::Writer& writer, double value) { writer.float64(value); }
};

template <>
struct Codec<std::string> {
  static constexpr bexpr::Shape kShape{.kind = bexpr::Shape::Kind::Text};

  static void read(msgpack::Reader& reader, std::string& value) { value = reader.string(); }

  static void write(msgpack::Writer& writer, const std::string& value) { writer.string(value); }
};

template <>
struct Codec<std::chrono::nanoseconds> {
  static constexpr bexpr::Shape kShape{.kind = bexpr::Shape::Kind::Signed};

  static void read(msgpack::Reader& reader, std::chrono::nanoseconds& value) {
    value = std::chrono::nanoseconds{reader.signed_integer()};
  }

  static void write(msgpack::Writer& writer, std::chrono::nanoseconds value) {
    writer.signed_integer(value.count());
  }
};

template <>
struct Codec<Object> {
  static constexpr bexpr::Shape kShape{};

  static void read(msgpack::Reader& reader, Object& value);
  static void write(msgpack::Writer& writer, const Object& value);
};

template <>
struct Codec<Time> {
  static constexpr bexpr::Shape kShape{};

  static void read(msgpack::Reader& reader, Time& value);
  static void write(msgpack::Writer& writer, const Time& value);
};

template <Structured Value>
struct Codec<Value> {
  static constexpr bexpr::Shape kShape = consul::kShape<Value>;

  static void read(msgpack::Reader& reader, Value& value) {
    read_structure(reader, Value::structure(), &value);
  }

  static void write(msgpack::Writer& writer, const Value& value) {
    write_structure(writer, Value::structure(), &value);
  }
};

template <class Value>
struct Codec<std::optional<Value>> {
  static constexpr bexpr::Shape kShape = Codec<Value>::kShape;

  static void read(msgpack::Reader& reader, std::optional<Value>& value) {
    if (reader.nil()) {
      value.reset();
    } else {
      Codec<Value>::read(reader, value.emplace());
    }
  }

  static void write(msgpack::Writer& writer, const std::optional<Value>& value) {
    if (value) {
      Codec<Value>::write(writer, *value);
    } else {
      writer.nil();
    }
  }
};

template <class Element>
struct Codec<std::vector<Element>> {
  static constexpr bexpr::Shape kShape{
      .kind = bexpr::Shape::Kind::List, .element = &Codec<Element>::kShape};

  static void read(msgpack::Reader& reader, std::vector<Element>& value) {
    value.clear();
    const auto elements = reader.array();
    for (std::uint32_t i = 0; i < elements && reader.progress() == msgpack::Progress::Good; ++i) {
      auto& element = value.emplace_back();
      if (!reader.nil()) Codec<Element>::read(reader, element);
    }
  }

  static void write(msgpack::Writer& writer, const std::vector<Element>& value) {
    writer.array(static_cast<std::uint32_t>(value.size()));
    for (const auto& element : value)
      Codec<Element>::write(writer, element);
  }
};

template <class Element>
struct Codec<std::map<std::string, Element, std::less<>>> {
  static constexpr bexpr::Shape kShape{
      .kind = bexpr::Shape::Kind::Map, .element = &Codec<Element>::kShape};

  using Value = std::map<std::string, Element, std::less<>>;

  static void read(msgpack::Reader& reader, Value& value) {
    value.clear();
    const auto pairs = reader.map();
    for (std::uint32_t i = 0; i < pairs && reader.progress() == msgpack::Progress::Good; ++i) {
      auto& element = value[std::string{reader.string()}];
      element = {};
      if (!reader.nil()) Codec<Element>::read(reader, element);
    }
  }

  static void write(msgpack::Writer& writer, const Value& value) {
    writer.map(static_cast<std::uint32_t>(value.size()));
    for (const auto& [key, element] : value) {
      writer.string(key);
      Codec<Element>::write(writer, element);
    }
  }
};

/// The field of `Object` that Go calls `key`.
template <class Object, auto Member>
constexpr Field field(std::string_view key) {
  using Value = std::remove_cvref_t<decltype(std::declval<Object&>().*Member)>;
  return {
      .key = key,
      .shape = &Codec<Value>::kShape,
      .read =
          [](msgpack::Reader& reader, void* object) {
            Codec<Value>::read(reader, static_cast<Object*>(object)->*Member);
          },
      .write =
          [](msgpack::Writer& writer, const void* object) {
            Codec<Value>::write(writer, static_cast<const Object*>(object)->*Member);
          },
  };
}

/// The field, which filters cannot select.
constexpr Field unsearched(Field field) {
  field.shape = &Codec<Object>::kShape;
  return field;
}

/// A structure's own fields and those of the groups that it embeds, in ascending order.
template <std::size_t... Sizes>
constexpr auto fields(const std::array<Field, Sizes>&... lists) {
  std::array<Field, (Sizes + ...)> all{};
  auto end = all.begin();
  ((end = std::ranges::copy(lists, end).out), ...);
  std::ranges::sort(all, {}, &Field::key);
  return all;
}

} // namespace switchyard::consul

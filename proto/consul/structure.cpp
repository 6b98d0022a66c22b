#include <proto/consul/error.hpp>
#include <proto/consul/structure.hpp>

#include <algorithm>

namespace switchyard::consul {
namespace {

std::string_view read_key(msgpack::Reader& reader) noexcept {
  const auto kind = reader.peek();
  if (kind == msgpack::Kind::String || kind == msgpack::Kind::Binary) return reader.string();
  reader.skip();
  return {};
}

} // namespace

void read_structure(msgpack::Reader& reader, Structure structure, void* object) {
  const auto pairs = reader.map();
  auto expected = structure.begin(); // who writes keys in ascending order is not searched for
  for (std::uint32_t i = 0; i < pairs && reader.progress() == msgpack::Progress::Good; ++i) {
    const auto key = read_key(reader);
    auto found = expected;
    if (found == structure.end() || found->key != key) {
      found = std::ranges::lower_bound(structure, key, {}, &Field::key);
    }
    if (found == structure.end() || found->key != key) {
      reader.skip();
      continue;
    }
    expected = std::next(found);
    if (!reader.nil()) found->read(reader, object);
  }
}

void write_structure(msgpack::Writer& writer, Structure structure, const void* object) {
  writer.map(static_cast<std::uint32_t>(structure.size()));
  for (const auto& field : structure) {
    writer.string(field.key);
    field.write(writer, object);
  }
}

const bexpr::Shape* find_shape(Structure structure, std::string_view key) noexcept {
  const auto found = std::ranges::lower_bound(structure, key, {}, &Field::key);
  return found != structure.end() && found->key == key ? found->shape : nullptr;
}

boost::system::error_code outcome(const msgpack::Reader& reader) noexcept {
  switch (reader.progress()) {
  case msgpack::Progress::Good: return {};
  case msgpack::Progress::Cut: return Error::Incomplete;
  case msgpack::Progress::Malformed: return reader.error();
  }
  return {};
}

} // namespace switchyard::consul

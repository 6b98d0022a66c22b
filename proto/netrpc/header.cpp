#include <proto/netrpc/header.hpp>

#include <algorithm>

namespace switchyard::netrpc {
namespace {

using msgpack::Kind;
using msgpack::Progress;
using msgpack::Reader;

void read_field(Reader& in, const HeaderField& field) noexcept {
  if (field.number != nullptr) {
    *field.number = in.unsigned_integer();
  } else {
    *field.text = in.string();
  }
}

void read_by_name(Reader& in, std::span<const HeaderField> fields) noexcept {
  for (auto left = in.map(); left != 0 && in.progress() == Progress::Good; --left) {
    const auto field = std::ranges::find(fields, in.string(), &HeaderField::name);
    if (field != fields.end()) {
      read_field(in, *field);
    } else {
      in.skip();
    }
  }
}

void read_by_position(Reader& in, std::span<const HeaderField> fields) noexcept {
  const auto count = in.array();
  for (std::uint32_t i = 0; i != count && in.progress() == Progress::Good; ++i) {
    if (i < fields.size()) {
      read_field(in, fields[i]);
    } else {
      in.skip();
    }
  }
}

} // namespace

boost::system::result<std::optional<std::size_t>> read_header(
    std::span<const std::byte> bytes,
    std::span<const HeaderField> fields,
    std::uint32_t bytes_max) noexcept {
  Reader in{bytes, {.bytes_max = bytes_max}};
  if (in.peek() == Kind::Array) {
    read_by_position(in, fields);
  } else {
    read_by_name(in, fields);
  }

  if (in.progress() == Progress::Malformed) return in.error();
  if (in.progress() == Progress::Cut) return std::nullopt;
  return in.size();
}

} // namespace switchyard::netrpc

#include <proto/raftwire/error.hpp>
#include <proto/raftwire/fields.hpp>

#include <algorithm>

namespace switchyard::raftwire {
namespace {

constexpr std::string_view kId = "ID";
constexpr std::string_view kAddress = "Addr";
constexpr std::string_view kVersion = "ProtocolVersion";

/// Reads one value into the place its field has for it.
struct Into {
  msgpack::Reader& reader;

  void operator()(std::uint64_t* value) const noexcept { *value = reader.unsigned_integer(); }

  void operator()(std::int64_t* value) const noexcept { *value = reader.signed_integer(); }

  void operator()(bool* value) const noexcept { *value = reader.boolean(); }

  void operator()(std::string_view* value) const noexcept { *value = reader.string(); }

  void operator()(Raw* value) const noexcept { *value = reader.skip(); }
};

std::string_view read_key(msgpack::Reader& reader) noexcept {
  const auto kind = reader.peek();
  if (kind == msgpack::Kind::String || kind == msgpack::Kind::Binary) return reader.string();
  reader.skip();
  return {};
}

struct Lists {
  std::span<const Field> first;
  std::span<const Field> second;
};

const Field* find(const Lists& lists, std::string_view key) noexcept {
  for (const auto list : {lists.first, lists.second}) {
    const auto found = std::ranges::find(list, key, &Field::key);
    if (found != list.end()) return &*found;
  }
  return nullptr;
}

void read_map(msgpack::Reader& reader, const Lists& lists) noexcept {
  const auto pairs = reader.map();
  for (std::uint32_t i = 0; i < pairs && reader.progress() == msgpack::Progress::Good; ++i) {
    if (const auto* field = find(lists, read_key(reader))) {
      std::visit(Into{reader}, field->value);
    } else {
      reader.skip();
    }
  }
}

} // namespace

void read_fields(msgpack::Reader& reader, std::span<const Field> fields) noexcept {
  read_map(reader, {fields, {}});
}

boost::system::error_code outcome(const msgpack::Reader& reader) noexcept {
  switch (reader.progress()) {
  case msgpack::Progress::Good: return {};
  case msgpack::Progress::Cut: return Error::Incomplete;
  case msgpack::Progress::Malformed: return reader.error();
  }
  return {};
}

boost::system::error_code read_message(
    Raw object,
    const msgpack::Limits& limits,
    Header* header,
    std::span<const Field> fields) noexcept {
  msgpack::Reader reader{object, limits};
  if (header == nullptr) {
    read_map(reader, {fields, {}});
    return outcome(reader);
  }

  Raw id;
  Raw address;
  header->version = 0; // a missing key is zero
  const Field own[] = {{kId, &id}, {kAddress, &address}, {kVersion, &header->version}};
  read_map(reader, {fields, own});
  if (const auto error = outcome(reader)) return error;

  header->form = id.empty() && address.empty() ? HeaderForm::Old : HeaderForm::New;
  for (const auto& [raw, text] : {std::pair{id, &header->id}, {address, &header->address}}) {
    if (raw.empty()) continue;
    msgpack::Reader value{raw};
    *text = value.string();
    if (const auto error = outcome(value)) return error;
  }
  return {};
}

void write_bytes(msgpack::Writer& writer, std::string_view bytes) {
  if (bytes.empty()) {
    writer.nil();
  } else {
    writer.string(bytes);
  }
}

void write(msgpack::Writer& writer, std::string_view key, std::uint64_t value) {
  writer.string(key);
  writer.unsigned_integer(value);
}

void write(msgpack::Writer& writer, std::string_view key, std::string_view bytes) {
  writer.string(key);
  write_bytes(writer, bytes);
}

void write_flag(msgpack::Writer& writer, std::string_view key, bool value) {
  writer.string(key);
  writer.boolean(value);
}

void begin_message(msgpack::Writer& writer, const Header& header, std::uint32_t fields) {
  writer.map(fields + (header.form == HeaderForm::New ? 3 : 1));
}

void write_address(msgpack::Writer& writer, const Header& header) {
  if (header.form == HeaderForm::New) write(writer, kAddress, header.address);
}

void write_id(msgpack::Writer& writer, const Header& header) {
  if (header.form == HeaderForm::New) write(writer, kId, header.id);
}

void write_version(msgpack::Writer& writer, const Header& header) {
  writer.string(kVersion);
  writer.signed_integer(header.version);
}

} // namespace switchyard::raftwire

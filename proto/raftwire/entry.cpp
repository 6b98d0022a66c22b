#include <proto/raftwire/entry.hpp>
#include <proto/raftwire/error.hpp>
#include <proto/raftwire/fields.hpp>

namespace switchyard::raftwire {
namespace {

constexpr std::string_view kData = "Data";
constexpr std::string_view kExtensions = "Extensions";
constexpr std::string_view kIndex = "Index";
constexpr std::string_view kTerm = "Term";
constexpr std::string_view kType = "Type";

} // namespace

boost::system::result<Entry> decode_entry(std::span<const std::byte> object) noexcept {
  Entry entry;
  std::uint64_t type = 0;
  const Field fields[] = {
      {kData, &entry.data},
      {kExtensions, &entry.extensions},
      {kIndex, &entry.index},
      {kTerm, &entry.term},
      {kType, &type},
  };
  const msgpack::Limits limits{.bytes_max = ~std::uint32_t{0}}; // kept by the request around it
  if (const auto error = read_message(object, limits, nullptr, fields)) return error;
  if (!in_range(entry.index) || !in_range(entry.term) || entry.term == 0) {
    return Error::NumberTooLarge;
  }
  if (type > static_cast<std::uint64_t>(EntryType::Configuration)) return Error::UnknownEntryType;
  entry.type = static_cast<EntryType>(type);
  return entry;
}

void write_entry(msgpack::Writer& writer, const Entry& entry) {
  writer.map(5);
  write(writer, kData, entry.data);
  write(writer, kExtensions, entry.extensions);
  write(writer, kIndex, entry.index);
  write(writer, kTerm, entry.term);
  write(writer, kType, static_cast<std::uint64_t>(entry.type));
}

} // namespace switchyard::raftwire

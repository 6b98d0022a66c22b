#include <proto/consul/config_entry.hpp>
#include <proto/consul/error.hpp>
#include <proto/consul/group_keys.hpp>

namespace switchyard::consul {

Structure ConfigEntryQuery::structure() {
  using S = ConfigEntryQuery;
  static constexpr auto kFields = fields(
      std::array{
          field<S, &S::kind>("Kind"),
          field<S, &S::name>("Name"),
          field<S, &S::datacenter>("Datacenter")},
      kQueryOptions<S>);
  return kFields;
}

namespace {

/// What follows the kind in a request.
constexpr auto kRequest = fields(
    std::array{
        field<ConfigEntryRequest, &ConfigEntryRequest::datacenter>("Datacenter"),
        field<ConfigEntryRequest, &ConfigEntryRequest::entry>("Entry"),
        field<ConfigEntryRequest, &ConfigEntryRequest::op>("Op")},
    kWriteRequest<ConfigEntryRequest>);

constexpr auto kMeta = fields(kQueryMeta<QueryMeta>);

/// What follows the count and the kind in a List's reply.
constexpr auto kEntries = fields(
    std::array{
        field<IndexedConfigEntries, &IndexedConfigEntries::entries>("Entries"),
        field<IndexedConfigEntries, &IndexedConfigEntries::kind>("Kind")},
    kQueryMeta<IndexedConfigEntries>);

/// Reads what lies in the string that `body` is.
template <class Type>
boost::system::result<Type> decode_inside(
    std::span<const std::byte> body,
    const msgpack::Limits& limits,
    void (*read)(msgpack::Reader& reader, Type& object)) {
  msgpack::Reader outside{body, limits};
  const auto content = outside.string();
  if (const auto error = outcome(outside)) return error;
  msgpack::Reader inside{std::as_bytes(std::span{content}), limits};
  Type object;
  read(inside, object);
  if (const auto error = outcome(inside)) return error;
  return object;
}

/// Appends the string with what `write` puts into it.
template <class Write>
void encode_inside(std::vector<std::byte>& out, Write write) {
  std::vector<std::byte> content;
  msgpack::Writer inside{content};
  write(inside);
  msgpack::Writer{out}.string({reinterpret_cast<const char*>(content.data()), content.size()});
}

} // namespace

boost::system::result<ConfigEntryRequest>
decode_config_entry_request(std::span<const std::byte> body, const msgpack::Limits& limits) {
  return decode_inside<ConfigEntryRequest>(
      body, limits, [](msgpack::Reader& reader, ConfigEntryRequest& request) {
        request.kind = reader.string();
        read_structure(reader, kRequest, &request);
      });
}

boost::system::result<ConfigEntryResponse>
decode_config_entry_response(std::span<const std::byte> body, const msgpack::Limits& limits) {
  return decode_inside<ConfigEntryResponse>(
      body, limits, [](msgpack::Reader& reader, ConfigEntryResponse& response) {
        ConfigEntry entry{std::string{reader.string()}, {}};
        if (!entry.kind.empty()) {
          Codec<Object>::read(reader, entry.entry);
          response.entry = std::move(entry);
        }
        read_structure(reader, kMeta, &response.meta);
      });
}

boost::system::result<IndexedConfigEntries>
decode_indexed_config_entries(std::span<const std::byte> body, const msgpack::Limits& limits) {
  return decode_inside<IndexedConfigEntries>(
      body, limits, [](msgpack::Reader& reader, IndexedConfigEntries& entries) {
        static_cast<void>(reader.unsigned_integer()); // how many: the list says it again
        static_cast<void>(reader.string());           // so with the kind
        read_structure(reader, kEntries, &entries);
      });
}

void encode_config_entry(const ConfigEntryRequest& request, std::vector<std::byte>& out) {
  encode_inside(out, [&](msgpack::Writer& writer) {
    writer.string(request.kind);
    write_structure(writer, kRequest, &request);
  });
}

void encode_config_entry(const ConfigEntryResponse& response, std::vector<std::byte>& out) {
  encode_inside(out, [&](msgpack::Writer& writer) {
    writer.string(response.entry ? response.entry->kind : "");
    if (response.entry) writer.object(response.entry->entry.bytes);
    write_structure(writer, kMeta, &response.meta);
  });
}

void encode_config_entry(const IndexedConfigEntries& entries, std::vector<std::byte>& out) {
  encode_inside(out, [&](msgpack::Writer& writer) {
    writer.unsigned_integer(entries.entries ? entries.entries->size() : 0);
    writer.string(entries.kind);
    write_structure(writer, kEntries, &entries);
  });
}

} // namespace switchyard::consul

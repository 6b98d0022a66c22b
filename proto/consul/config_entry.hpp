#pragma once

#include <proto/consul/groups.hpp>
#include <proto/consul/structure.hpp>
#include <proto/consul/value.hpp>

namespace switchyard::consul {

// Go marshals the bodies below itself: one string, and in it several objects one after the other.
// What an entry holds depends on its kind; here it is one object, as it came.

/// ConfigEntry.Get and List.
struct ConfigEntryQuery : QueryOptions {
  std::string kind;
  std::string name; ///< empty in a List
  std::string datacenter;

  static Structure structure();
  friend bool operator==(const ConfigEntryQuery&, const ConfigEntryQuery&) = default;
};

/// ConfigEntry.Apply and Delete, and the command that follows from them.
struct ConfigEntryRequest : WriteRequest {
  std::string kind; ///< of the entry; stands before the rest
  std::string op;   ///< "upsert", "upsert-cas" or "delete"
  std::string datacenter;
  Object entry;

  friend bool operator==(const ConfigEntryRequest&, const ConfigEntryRequest&) = default;
};

/// An entry with the kind that it is of.
struct ConfigEntry {
  std::string kind;
  Object entry;

  friend bool operator==(const ConfigEntry&, const ConfigEntry&) = default;
};

/// The reply of Get.
struct ConfigEntryResponse {
  std::optional<ConfigEntry> entry; ///< nothing: there is none
  QueryMeta meta;

  friend bool operator==(const ConfigEntryResponse&, const ConfigEntryResponse&) = default;
};

/// The reply of List.
struct IndexedConfigEntries : QueryMeta {
  std::string kind;
  List<Object> entries;

  friend bool operator==(const IndexedConfigEntries&, const IndexedConfigEntries&) = default;
};

/// Like decode and encode for a structure (structure.hpp); `body` is the string with its head.
[[nodiscard]] boost::system::result<ConfigEntryRequest>
decode_config_entry_request(std::span<const std::byte> body, const msgpack::Limits& limits = {});
[[nodiscard]] boost::system::result<ConfigEntryResponse>
decode_config_entry_response(std::span<const std::byte> body, const msgpack::Limits& limits = {});
[[nodiscard]] boost::system::result<IndexedConfigEntries>
decode_indexed_config_entries(std::span<const std::byte> body, const msgpack::Limits& limits = {});
void encode_config_entry(const ConfigEntryRequest& request, std::vector<std::byte>& out);
void encode_config_entry(const ConfigEntryResponse& response, std::vector<std::byte>& out);
void encode_config_entry(const IndexedConfigEntries& entries, std::vector<std::byte>& out);

} // namespace switchyard::consul

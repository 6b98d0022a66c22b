#include <proto/raftwire/configuration.hpp>
#include <proto/raftwire/error.hpp>
#include <proto/raftwire/fields.hpp>
#include <proto/raftwire/limits.hpp>

#include <algorithm>
#include <set>

namespace switchyard::raftwire {
namespace {

constexpr std::string_view kServers = "Servers";
constexpr std::string_view kSuffrage = "Suffrage";
constexpr std::string_view kId = "ID";
constexpr std::string_view kAddress = "Address";

Raw bytes_of(std::string_view text) noexcept {
  return std::as_bytes(std::span{text});
}

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

boost::system::result<Server> read_server(msgpack::Reader& reader) {
  std::uint64_t suffrage = 0;
  std::string_view id;
  std::string_view address;
  const Field fields[] = {{kSuffrage, &suffrage}, {kId, &id}, {kAddress, &address}};
  read_fields(reader, fields);
  if (const auto error = outcome(reader)) return error;
  if (suffrage > static_cast<std::uint64_t>(Suffrage::Staging)) return Error::InvalidConfiguration;
  return Server{static_cast<Suffrage>(suffrage), std::string{id}, std::string{address}};
}

} // namespace

const Server* Configuration::find(std::string_view id) const noexcept {
  const auto found = std::ranges::find(servers, id, &Server::id);
  return found == servers.end() ? nullptr : &*found;
}

bool Configuration::valid() const noexcept {
  std::set<std::string_view> ids;
  std::set<std::string_view> addresses;
  const auto fresh = [&](const Server& server) {
    return !server.id.empty() && !server.address.empty() && ids.insert(server.id).second &&
           addresses.insert(server.address).second;
  };
  return std::ranges::all_of(servers, fresh) && std::ranges::any_of(servers, &Server::voter);
}

boost::system::result<Configuration> decode_configuration(std::span<const std::byte> object) {
  Raw servers;
  const Field fields[] = {{kServers, &servers}};
  const Limits limits;
  if (const auto error = read_message(object, limits.object, nullptr, fields)) return error;

  Configuration configuration;
  if (servers.empty()) return configuration;
  msgpack::Reader reader{servers, limits.object};
  const auto count = reader.array();
  for (std::uint32_t i = 0; i < count; ++i) {
    auto server = read_server(reader);
    if (!server) return server.error();
    configuration.servers.push_back(std::move(*server));
  }
  if (const auto error = outcome(reader)) return error;
  return configuration;
}

boost::system::result<Configuration> decode_peers(std::span<const std::byte> object) {
  msgpack::Reader reader{object, Limits{}.object};
  Configuration configuration;
  const auto count = reader.array();
  for (std::uint32_t i = 0; i < count && reader.progress() == msgpack::Progress::Good; ++i) {
    const std::string address{reader.string()};
    configuration.servers.push_back({Suffrage::Voter, address, address});
  }
  if (const auto error = outcome(reader)) return error;
  return configuration;
}

boost::system::result<Configuration> configuration_of(const Entry& entry) {
  auto configuration = entry.type == EntryType::Configuration
                           ? decode_configuration(bytes_of(entry.data))
                           : decode_peers(bytes_of(entry.data));
  if (configuration && !configuration->valid()) return Error::InvalidConfiguration;
  return configuration;
}

std::string encode_configuration(const Configuration& configuration) {
  std::vector<std::byte> out;
  msgpack::Writer writer{out};
  writer.map(1);
  writer.string(kServers);
  if (configuration.servers.empty()) {
    writer.nil();
  } else {
    writer.array(static_cast<std::uint32_t>(configuration.servers.size()));
  }
  for (const auto& server : configuration.servers) {
    writer.map(3);
    writer.string(kAddress);
    writer.string(server.address);
    writer.string(kId);
    writer.string(server.id);
    write(writer, kSuffrage, static_cast<std::uint64_t>(server.suffrage));
  }
  return text_of(out);
}

std::string encode_peers(const Configuration& configuration) {
  std::vector<std::byte> out;
  msgpack::Writer writer{out};
  writer.array(static_cast<std::uint32_t>(configuration.servers.size()));
  for (const auto& server : configuration.servers)
    writer.string(server.address);
  return text_of(out);
}

} // namespace switchyard::raftwire

#pragma once

#include <proto/raftwire/entry.hpp>

#include <string>
#include <vector>

namespace switchyard::raftwire {

/// Whether a server counts. Wire values; source: hashicorp/raft configuration.go.
enum class Suffrage : std::uint8_t {
  Voter = 0,
  Nonvoter = 1,
  Staging = 2, ///< to be treated as a nonvoter
};

/// One member of a cluster. Id and address are opaque bytes, compared as such.
struct Server {
  Suffrage suffrage = Suffrage::Voter;
  std::string id;      ///< its permanent name
  std::string address; ///< what the others dial

  [[nodiscard]] bool voter() const noexcept { return suffrage == Suffrage::Voter; }

  friend bool operator==(const Server&, const Server&) = default;
};

/// The members of a cluster; their order has no meaning.
struct Configuration {
  std::vector<Server> servers;

  /// The server of that id; null without one.
  [[nodiscard]] const Server* find(std::string_view id) const noexcept;

  /// No id or address empty or twice, and a voter.
  [[nodiscard]] bool valid() const noexcept;

  friend bool operator==(const Configuration&, const Configuration&) = default;
};

/// Reads a configuration, whose bytes are `object`; nil lists are empty. Fails with
/// Error::InvalidConfiguration for a suffrage that does not exist, Incomplete or a msgpack::Error.
/// What comes out need not be valid().
[[nodiscard]] boost::system::result<Configuration>
decode_configuration(std::span<const std::byte> object);

/// Reads the list of addresses of earlier versions: every id is its address, all of them voters.
[[nodiscard]] boost::system::result<Configuration> decode_peers(std::span<const std::byte> object);

/// The configuration in an entry that changes_servers(). Fails with Error::InvalidConfiguration if
/// it is not valid(), else as the two functions above.
[[nodiscard]] boost::system::result<Configuration> configuration_of(const Entry& entry);

[[nodiscard]] std::string encode_configuration(const Configuration& configuration);
[[nodiscard]] std::string encode_peers(const Configuration& configuration);

} // namespace switchyard::raftwire

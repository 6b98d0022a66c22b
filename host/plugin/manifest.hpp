#pragma once

#include <boost/system/result.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard::host {

/// How a protocol wants its clear connections: through sy_plugin.serve or serve_descriptor.
enum class ServeMode : std::uint8_t { Stream, Descriptor };

/// What proves of a connection that its protocol is spoken: said to it, and found in what comes
/// back.
struct Trial {
  std::string send; ///< empty: the server speaks first
  std::string answer;

  friend bool operator==(const Trial&, const Trial&) = default;
};

/// No part of a trial is longer than this; in bytes.
inline constexpr std::size_t kTrialSizeMax = 4096;

/// One protocol a plugin speaks; its position in the manifest is what serve() gets.
struct Protocol {
  std::string name;
  std::optional<std::uint8_t> tag;
  std::optional<std::string> alpn;
  ServeMode mode = ServeMode::Stream;
  std::optional<std::string> listener_alpn{}; ///< agreed on a listener of its own; no route
  std::optional<Trial> trial{};

  friend bool operator==(const Protocol&, const Protocol&) = default;
};

/// An interface that a plugin offers to others.
struct ProvidedInterface {
  std::string interface; ///< with its major: "switchyard.netrpc.endpoints/1"
  std::uint32_t minor = 0;
  bool registrar = false; ///< its table starts with sy_registrar

  friend bool operator==(const ProvidedInterface&, const ProvidedInterface&) = default;
};

/// What becomes of the user of an interface when its provider is swapped.
enum class OnSwap : std::uint8_t {
  Rebind,     ///< its next lease leads to the new provider
  Restart,    ///< a new generation of it is made for the new provider
  DrainFirst, ///< it lets go of the old provider before it is given the new one
  Pin,        ///< the provider cannot be swapped
};

/// An interface that a plugin uses.
struct RequiredInterface {
  std::string interface;
  std::uint32_t min_minor = 0;
  bool optional = false; ///< the plugin serves without it
  OnSwap on_swap = OnSwap::Rebind;

  friend bool operator==(const RequiredInterface&, const RequiredInterface&) = default;
};

/// The formats of what an exclusive plugin hands over.
struct StateFormats {
  std::uint32_t version = 0;           ///< its own, which it reads and writes
  std::vector<std::uint32_t> reads{};  ///< besides its own
  std::vector<std::uint32_t> writes{}; ///< besides its own

  friend bool operator==(const StateFormats&, const StateFormats&) = default;
};

/// What a plugin says of itself in its ELF note. Normative text: sdk/ABI.md, "The manifest".
struct Manifest {
  std::string id;
  std::string version;
  std::uint16_t abi_major = 0;
  std::uint16_t abi_minor = 0;
  std::vector<Protocol> protocols;
  std::vector<ProvidedInterface> provides;
  std::vector<RequiredInterface> requires_; ///< "requires" is a word of C++
  bool exclusive = false; ///< what it holds, a second instance cannot hold at the same time
  StateFormats state{};

  friend bool operator==(const Manifest&, const Manifest&) = default;
};

/// No note is longer than this; in bytes.
inline constexpr std::size_t kManifestSizeMax = 65535;

/// The first thing that is wrong in a manifest, with its place: "protocols[1].tag: 300 is not in 0
/// to 255".
struct ManifestFault {
  std::string clause;

  friend bool operator==(const ManifestFault&, const ManifestFault&) = default;
};

/// Reads a manifest. Pure. Unknown keys are ignored; everything known is checked.
[[nodiscard]] boost::system::result<Manifest, ManifestFault> parse_manifest(std::string_view json);

} // namespace switchyard::host

#pragma once

#include <proto/msgpack/error.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace switchyard::netrpc {

// Texts a server puts into a response header. Clients match on them, so they are Go's and
// go-msgpack's word for word; sources and recorded examples: README.md. After each of them the
// server closes the stream.

/// The service is known, the method is not. `name` is the request's whole ServiceMethod, here and
/// below.
[[nodiscard]] std::string cannot_find_method(std::string_view name);

[[nodiscard]] std::string cannot_find_service(std::string_view name);

/// There is no dot in the name.
[[nodiscard]] std::string ill_formed(std::string_view name);

/// The peer ended its side within a body.
inline constexpr std::string_view kBodyCut = "EOF";

/// What is wrong with `body`, one whole object, as the argument of a method that takes a structure;
/// nullopt for a map, an array and nil, which are what it may be.
[[nodiscard]] std::optional<std::string> no_structure(std::span<const std::byte> body);

/// What is wrong with `body`, for whose beginning msgpack::Extent failed with `error`. Go has no
/// limits: only the texts for Reserved are its own, the others are ours in its manner.
[[nodiscard]] std::string undecodable(std::span<const std::byte> body, msgpack::Error error);

} // namespace switchyard::netrpc

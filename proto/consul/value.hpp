#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace switchyard::consul {

// What Go's types are here. A Go slice, map or byte slice may be nil, and agents compare what they
// get back with what they sent: nil and empty are kept apart by std::nullopt and an empty
// container.

using Bytes = std::optional<std::string>; ///< []byte: any bytes

template <class Element>
using List = std::optional<std::vector<Element>>; ///< []Element, and []*Element without nil in it

template <class Element>
using Map = std::optional<std::map<std::string, Element, std::less<>>>; ///< map[string]Element

/// interface{}, and what passes through without being looked at: one object of msgpack as it came.
struct Object {
  std::vector<std::byte> bytes{std::byte{0xc0}}; ///< a whole object, nil unless something was read

  friend bool operator==(const Object&, const Object&) = default;
};

/// time.Time as its MarshalBinary writes it. Source: Go 1.15, time.go.
struct Time {
  /// Version 1; seconds since the year 1 as a big-endian int64; nanoseconds, uint32; minutes east
  /// of UTC, int16, -1 for UTC itself. The default is Go's zero time.
  std::array<char, 15> bytes{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '\xff', '\xff'};

  friend bool operator==(const Time&, const Time&) = default;
};

} // namespace switchyard::consul

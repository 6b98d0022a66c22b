#pragma once

#include <boost/system/error_code.hpp>

namespace switchyard::raftwire {

/// Why a message of a peer is refused. What is wrong with its msgpack is a msgpack::Error.
enum class Error {
  UnknownRequest = 1,   ///< a type byte that names no request
  Incomplete,           ///< the object ends before its fields do
  NumberTooLarge,       ///< an index or term of 2^63 or more, or an entry without a term
  UnknownEntryType,     ///< an entry that no node of either version could apply
  IndexGap,             ///< entries that do not follow PrevLogEntry one by one
  TermOrder,            ///< terms that fall, or exceed the term of the request
  TooManyEntries,       ///< more entries than the limits allow
  InvalidConfiguration, ///< empty or repeated ids or addresses, no voter, an unknown suffrage
  NegativeSize,         ///< a snapshot of fewer than 0 bytes
};

[[nodiscard]] boost::system::error_code make_error_code(Error) noexcept;

} // namespace switchyard::raftwire

template <>
struct boost::system::is_error_code_enum<switchyard::raftwire::Error> : std::true_type {};

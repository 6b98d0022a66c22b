#pragma once

#include <boost/system/error_code.hpp>

namespace switchyard::consul {

/// Why bytes are not the structure that was asked for. What is wrong with the msgpack itself is a
/// msgpack::Error.
enum class Error {
  Incomplete = 1, ///< the object ends before its fields do
};

[[nodiscard]] boost::system::error_code make_error_code(Error) noexcept;

} // namespace switchyard::consul

template <>
struct boost::system::is_error_code_enum<switchyard::consul::Error> : std::true_type {};

#pragma once

#include <boost/system/error_code.hpp>

namespace switchyard::msgpack {

/// Why bytes are not the object that was asked for. More bytes cannot mend any of these.
enum class Error {
  Reserved = 1, ///< the byte c1, which the format never uses
  TooDeep,      ///< more levels of arrays and maps than the limits allow
  TooLarge,     ///< the object ends, or declares that it will end, beyond the limits
  WrongType,    ///< a well-formed object of another type than the field's
  OutOfRange,   ///< an integer that the field cannot hold
};

[[nodiscard]] boost::system::error_code make_error_code(Error) noexcept;

} // namespace switchyard::msgpack

template <>
struct boost::system::is_error_code_enum<switchyard::msgpack::Error> : std::true_type {};

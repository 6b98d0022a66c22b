#pragma once

#include <boost/system/error_code.hpp>

namespace switchyard::sniff {

/// Why bytes are not a ClientHello we can use. More bytes cannot mend any of these.
enum class Error {
  NotHandshake = 1, ///< no TLS handshake record
  NotClientHello,   ///< another handshake message
  Malformed,        ///< lengths that contradict each other, an extension twice, an empty name
  TooLarge,         ///< longer than kClientHelloBytesMax
};

[[nodiscard]] boost::system::error_code make_error_code(Error) noexcept;

} // namespace switchyard::sniff

template <>
struct boost::system::is_error_code_enum<switchyard::sniff::Error> : std::true_type {};

#pragma once

#include <boost/system/result.hpp>
#include <sys/types.h>

#include <cstdint>
#include <string>

namespace switchyard::host {

/// What happens to a file that is already there.
enum class Existing : std::uint8_t { Keep, Replace };

/// Writes a whole file or none: it appears under `path` at once, with all of `bytes` and `mode`,
/// also when the machine stops in the middle. Fails with what the system says; with EEXIST for a
/// file that is to be kept.
[[nodiscard]] boost::system::result<void>
write_file(const std::string& path, const std::string& bytes, mode_t mode, Existing existing);

} // namespace switchyard::host

#pragma once

#include <boost/system/result.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace switchyard::raft {

/// One open file. Nothing is durable before sync() has succeeded, and then everything before it is.
/// After a sync that failed nothing is known, and no later one mends it.
class File {
public:
  virtual ~File() = default;

  [[nodiscard]] virtual boost::system::result<std::uint64_t> size() = 0;

  /// Reads up to `into.size()` bytes; fewer only at the end of the file.
  [[nodiscard]] virtual boost::system::result<std::size_t>
  read(std::uint64_t offset, std::span<std::byte> into) = 0;

  /// Writes all of `bytes`; beyond the end the file grows.
  [[nodiscard]] virtual boost::system::result<void>
  write(std::uint64_t offset, std::span<const std::byte> bytes) = 0;

  /// Cuts the file, or lengthens it by zeros for which there is room on the disk.
  [[nodiscard]] virtual boost::system::result<void> resize(std::uint64_t size) = 0;

  [[nodiscard]] virtual boost::system::result<void> sync() = 0;
};

/// One directory: the only way of the log to the operating system. Names are without a path. What
/// happens to names is durable only after sync(). Different files may be used by different threads.
class Disk {
public:
  virtual ~Disk() = default;

  [[nodiscard]] virtual boost::system::result<std::vector<std::string>> list() = 0;

  /// Opens for reading and writing, an empty file if there is none.
  [[nodiscard]] virtual boost::system::result<std::unique_ptr<File>>
  open(const std::string& name) = 0;

  [[nodiscard]] virtual boost::system::result<void> remove(const std::string& name) = 0;
  [[nodiscard]] virtual boost::system::result<void> sync() = 0;
};

} // namespace switchyard::raft

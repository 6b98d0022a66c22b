#pragma once

#include <boost/system/result.hpp>

#include <string>

namespace switchyard::host {

/// A Unix socket that listens at a path this process has to itself: a lock on `path`.lock, held
/// until the process ends or this is destroyed, keeps a second server away, however the first one
/// dies.
class SocketFile {
public:
  /// Fails with a sentence for the operator.
  [[nodiscard]] static boost::system::result<SocketFile, std::string>
  listen(const std::string& path);

  ~SocketFile();
  SocketFile(SocketFile&& other) noexcept;
  SocketFile& operator=(SocketFile&&) = delete;

  /// Gives the listening socket (close-on-exec) to the caller.
  [[nodiscard]] int take_socket() noexcept;

private:
  SocketFile(std::string path, int lock) : path_{std::move(path)}, lock_{lock} {}

  std::string path_;
  int lock_;
  int socket_ = -1;
};

} // namespace switchyard::host

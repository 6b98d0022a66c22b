#pragma once

#include <switchyard/failure.hpp>

#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <unistd.h>
#include <utility>

namespace switchyard::raft {

/// The right to use a data directory, for one server and one generation of the plugin at a time.
class DirectoryLock {
public:
  /// Makes the directory (0700) if only that is missing. Throws Failure.
  explicit DirectoryLock(const std::string& path) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) fail("cannot make ", path);
    const auto name = path + "/lock";
    fd_ = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd_ < 0) fail("cannot open ", name);
    if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return;
    ::close(fd_);
    throw Failure{
        SY_BUSY,
        "the data directory " + path +
            " is in use by another server, or by the version of this "
            "plugin that serves; one at a time may have it"};
  }

  /// The lock that `descriptor` is, of another instance that has the directory, and goes on to have
  /// it: whoever lets go of it last gives it back. Throws Failure when it is that of another one.
  DirectoryLock(const std::string& path, int descriptor) {
    const auto name = path + "/lock";

    struct stat wanted {};

    struct stat given {};

    if (::stat(name.c_str(), &wanted) != 0 || ::fstat(descriptor, &given) != 0 ||
        given.st_dev != wanted.st_dev || given.st_ino != wanted.st_ino) {
      throw Failure{
          SY_INVALID,
          "what was handed over is the lock of another directory than " + path +
              ": data_dir changes with a restart only"};
    }
    fd_ = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    if (fd_ < 0) fail("cannot take the lock of ", path);
    if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return;
    ::close(fd_);
    throw Failure{SY_BUSY, "the lock of " + path + " was lost to another server"};
  }

  DirectoryLock(DirectoryLock&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}

  DirectoryLock& operator=(DirectoryLock&&) = delete;

  [[nodiscard]] int descriptor() const noexcept { return fd_; }

  ~DirectoryLock() {
    if (fd_ >= 0) ::close(fd_);
  }

private:
  [[noreturn]] static void fail(const char* what, const std::string& path) {
    throw Failure{SY_INVALID, what + path + ": " + std::strerror(errno)};
  }

  int fd_ = -1;
};

} // namespace switchyard::raft

#include "socket_file.hpp"

#include "socket_address.hpp"

#include <boost/system/error_code.hpp>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace switchyard::host {
namespace {

constexpr int kBacklog = 64;

std::string failed(const std::string& what, const std::string& path) {
  const boost::system::error_code error{errno, boost::system::system_category()};
  return "cannot " + what + " " + path + ": " + error.message();
}

/// The directory of a socket belongs to the server; without it there is nowhere to put the lock.
void make_parent(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash != std::string::npos && slash != 0) mkdir(path.substr(0, slash).c_str(), 0700);
}

} // namespace

boost::system::result<SocketFile, std::string> SocketFile::listen(const std::string& path) {
  const auto address = socket_address(path);
  if (!address) return address.error();

  make_parent(path);
  const auto lock_path = path + ".lock";
  const int lock = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock < 0) return failed("create the lock", lock_path);
  SocketFile file{path, lock};
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    file.path_.clear(); // it is another one's
    if (errno != EWOULDBLOCK) return failed("lock", lock_path);
    return "another server has the control socket " + path +
           "; stop it, or give this one its own host.data_dir or host.control_socket";
  }

  // Under the lock a socket that is there is a dead server's.
  struct stat status {};

  if (lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) {
      file.path_.clear();
      return path + " is in the way of the control socket; remove it, or set host.control_socket";
    }
    unlink(path.c_str());
  }

  file.socket_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (file.socket_ < 0) return failed("create", path);
  if (bind(file.socket_, address->get(), sizeof(sockaddr_un)) != 0) return failed("create", path);
  // Nobody can connect before listen, so that the mode is right from the first moment.
  if (chmod(path.c_str(), 0600) != 0) return failed("protect", path);
  if (::listen(file.socket_, kBacklog) != 0) return failed("listen on", path);
  return file;
}

SocketFile::SocketFile(SocketFile&& other) noexcept
    : path_{std::exchange(other.path_, {})},
      lock_{std::exchange(other.lock_, -1)},
      socket_{std::exchange(other.socket_, -1)} {}

SocketFile::~SocketFile() {
  if (!path_.empty()) unlink(path_.c_str());
  if (socket_ >= 0) close(socket_);
  if (lock_ >= 0) close(lock_);
}

int SocketFile::take_socket() noexcept {
  return std::exchange(socket_, -1);
}

} // namespace switchyard::host

#include <host/file/new_file.hpp>

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>

namespace switchyard::host {
namespace {

boost::system::error_code last_error() {
  return {errno, boost::system::system_category()};
}

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool sync_directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  const auto directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int descriptor = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const auto synced = fsync(descriptor) == 0;
  close(descriptor);
  return synced;
}

/// Gives the finished file its name.
bool publish(const std::string& temporary, const std::string& path, Existing existing) {
  if (existing == Existing::Replace) return rename(temporary.c_str(), path.c_str()) == 0;
  if (link(temporary.c_str(), path.c_str()) != 0) return false; // unlike rename, never replaces
  unlink(temporary.c_str());
  return true;
}

} // namespace

boost::system::result<void>
write_file(const std::string& path, const std::string& bytes, mode_t mode, Existing existing) {
  auto temporary = path + ".XXXXXX";
  const int descriptor = mkostemp(temporary.data(), O_CLOEXEC);
  if (descriptor < 0) return last_error();

  auto done =
      write_all(descriptor, bytes) && fchmod(descriptor, mode) == 0 && fsync(descriptor) == 0;
  auto error = last_error();
  close(descriptor);
  if (done) {
    done = publish(temporary, path, existing) && sync_directory_of(path);
    error = last_error();
  }
  if (done) return {};
  unlink(temporary.c_str());
  return error;
}

} // namespace switchyard::host

#include <plugins/raft/log/posix_disk.hpp>

#include <sys/stat.h>

#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace switchyard::raft {
namespace {

using boost::system::result;

boost::system::error_code last_error() {
  return {errno, boost::system::system_category()};
}

class Descriptor {
public:
  explicit Descriptor(int fd) noexcept : fd_{fd} {}

  ~Descriptor() { ::close(fd_); }

  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  [[nodiscard]] int get() const noexcept { return fd_; }

private:
  int fd_;
};

class PosixFile final : public File {
public:
  explicit PosixFile(int fd) noexcept : fd_{fd} {}

  result<std::uint64_t> size() override {
    struct stat status {};

    if (::fstat(fd_.get(), &status) != 0) return last_error();
    return static_cast<std::uint64_t>(status.st_size);
  }

  result<std::size_t> read(std::uint64_t offset, std::span<std::byte> into) override {
    std::size_t done = 0;
    while (done < into.size()) {
      const auto n = ::pread(
          fd_.get(), into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
      if (n == 0) break;
      if (n > 0) {
        done += static_cast<std::size_t>(n);
      } else if (errno != EINTR) {
        return last_error();
      }
    }
    return done;
  }

  result<void> write(std::uint64_t offset, std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const auto n = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (n >= 0) {
        bytes = bytes.subspan(static_cast<std::size_t>(n));
        offset += static_cast<std::uint64_t>(n);
      } else if (errno != EINTR) {
        return last_error();
      }
    }
    return {};
  }

  result<void> resize(std::uint64_t bytes) override {
    const auto now = size();
    if (!now) return now.error();
    if (bytes < *now) {
      if (::ftruncate(fd_.get(), static_cast<off_t>(bytes)) != 0) return last_error();
      return {};
    }
    const auto more = static_cast<off_t>(bytes - *now);
    if (more == 0) return {};
    const int error = ::posix_fallocate(fd_.get(), static_cast<off_t>(*now), more);
    if (error != 0) return boost::system::error_code{error, boost::system::system_category()};
    return {};
  }

  result<void> sync() override {
    if (::fdatasync(fd_.get()) != 0) return last_error();
    return {};
  }

private:
  Descriptor fd_;
};

class Directory final : public Disk {
public:
  explicit Directory(int fd) noexcept : fd_{fd} {}

  result<std::vector<std::string>> list() override {
    const int copy = ::openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (copy < 0) return last_error();
    const std::unique_ptr<DIR, int (*)(DIR*)> stream{::fdopendir(copy), ::closedir};
    if (!stream) {
      const auto error = last_error();
      ::close(copy);
      return error;
    }
    std::vector<std::string> names;
    errno = 0;
    while (const auto* entry = ::readdir(stream.get()))
      names.emplace_back(entry->d_name);
    if (errno != 0) return last_error();
    return names;
  }

  result<std::unique_ptr<File>> open(const std::string& name) override {
    const int fd = ::openat(fd_.get(), name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return last_error();
    return std::make_unique<PosixFile>(fd);
  }

  result<void> remove(const std::string& name) override {
    if (::unlinkat(fd_.get(), name.c_str(), 0) != 0) return last_error();
    return {};
  }

  result<void> sync() override {
    if (::fsync(fd_.get()) != 0) return last_error();
    return {};
  }

private:
  Descriptor fd_;
};

} // namespace

result<std::unique_ptr<Disk>> open_directory(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return last_error();
  return std::make_unique<Directory>(fd);
}

} // namespace switchyard::raft

#include <host/plugin/staging.hpp>
#include <host/plugin/trust.hpp>

#include <openssl/evp.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace switchyard::host {
namespace {

namespace fs = std::filesystem;
using enum RefusalCode;

std::string error_text(int number) {
  return std::generic_category().message(number);
}

std::string octal(mode_t mode) {
  std::string digits;
  for (unsigned left = mode & 07777U; left != 0; left /= 8) {
    digits.insert(digits.begin(), static_cast<char>('0' + left % 8));
  }
  return '0' + digits;
}

bool trusted(uid_t owner) noexcept {
  return owner == 0 || owner == ::geteuid();
}

/// The directory that holds the open `file`, wherever links have led to.
std::optional<Refusal> judge_directory(const PluginSource& source, int file) {
  std::error_code ec;
  const auto opened = fs::read_symlink("/proc/self/fd/" + std::to_string(file), ec);
  const auto directory = opened.parent_path();

  struct stat found {};

  if (ec || ::stat(directory.c_str(), &found) != 0) {
    const auto why = ec ? ec.message() : error_text(errno);
    return refuse(FileUnreadable, source.plugin, {source.path, why});
  }
  if (!trusted(found.st_uid)) {
    return refuse(
        DirectoryOwner,
        source.plugin,
        {directory.native(), std::to_string(found.st_uid), std::to_string(::geteuid())});
  }
  if ((found.st_mode & S_IWOTH) != 0) {
    return refuse(DirectoryWritable, source.plugin, {directory.native(), octal(found.st_mode)});
  }
  const auto named = fs::canonical(fs::absolute(source.path, ec).parent_path(), ec);
  if (ec || directory != named)
    return refuse(LinkOutside, source.plugin, {source.path, opened.native()});
  return std::nullopt;
}

/// The signature beside a file; empty when there is none.
std::string read_signature(const std::string& path) {
  const FileDescriptor file{
      ::open((path + ".sig").c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  std::array<char, kSignatureSize + 1> bytes{};
  const auto got = ::read(file.get(), bytes.data(), bytes.size());
  return got > 0 ? std::string{bytes.data(), static_cast<std::size_t>(got)} : std::string{};
}

std::optional<Refusal> judge_file(const PluginSource& source, int file) {
  struct stat found {};

  if (::fstat(file, &found) != 0) {
    return refuse(FileUnreadable, source.plugin, {source.path, error_text(errno)});
  }
  if (!S_ISREG(found.st_mode)) return refuse(NotRegularFile, source.plugin, {source.path});
  if (!trusted(found.st_uid)) {
    return refuse(
        FileOwner,
        source.plugin,
        {source.path, std::to_string(found.st_uid), std::to_string(::geteuid())});
  }
  if ((found.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return refuse(FileWritable, source.plugin, {source.path, octal(found.st_mode)});
  }
  if (found.st_size == 0) return refuse(FileEmpty, source.plugin, {source.path});
  if (static_cast<std::uint64_t>(found.st_size) > kPluginSizeMax) {
    return refuse(
        FileTooLarge,
        source.plugin,
        {source.path, std::to_string(found.st_size), std::to_string(kPluginSizeMax)});
  }
  return std::nullopt;
}

/// SHA-256 of what passes by.
class Sha256 {
public:
  Sha256() { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }

  void update(const void* bytes, std::size_t size) {
    EVP_DigestUpdate(context_.get(), bytes, size);
  }

  [[nodiscard]] std::string hex() {
    std::array<unsigned char, 32> digest{};
    EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr);
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (const auto byte : digest) {
      text += kDigits[byte >> 4U];
      text += kDigits[byte & 15U];
    }
    return text;
  }

private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
  };

  std::unique_ptr<EVP_MD_CTX, Free> context_{EVP_MD_CTX_new()};
};

/// Writes all of it; 0 or errno.
int write_all(int to, const char* bytes, std::size_t size) {
  while (size != 0) {
    const auto written = ::write(to, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
  return 0;
}

/// False once it was removed from its directory.
bool has_name(const FileDescriptor& file) {
  struct stat found {};

  return ::fstat(file.get(), &found) == 0 && found.st_nlink != 0;
}

/// A name in `directory` that nobody has taken, and its file.
std::pair<FileDescriptor, std::string> make_file(const std::string& directory) {
  static std::atomic<unsigned> number{0};
  for (;;) {
    auto path = directory + "/." + std::to_string(::getpid()) + '-' + std::to_string(number++);
    FileDescriptor file{::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0500)};
    if (!file.open() && errno == EEXIST) continue;
    if (file.open()) {
      // Before it was locked another process may have taken it for a left-over.
      if (::flock(file.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) continue;
      if (!has_name(file)) continue;
    }
    return {std::move(file), std::move(path)};
  }
}

/// Maps a page of a new file for execution, as the loader will.
bool lets_code_run(const std::string& directory) {
  const auto [file, path] = make_file(directory);
  if (!file.open()) return true; // another fault, which stage() will name
  ::unlink(path.c_str());
  const char byte = 0;
  if (write_all(file.get(), &byte, 1) != 0) return true;
  auto* page = ::mmap(nullptr, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, file.get(), 0);
  if (page == MAP_FAILED) return errno != EPERM;
  ::munmap(page, 1);
  return true;
}

/// Removes the copies of processes that have ended.
void remove_leftovers(const std::string& directory) {
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator{directory, ec}) {
    if (!entry.is_regular_file(ec) || entry.is_symlink(ec)) continue;
    const FileDescriptor file{::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
    // Only who holds the lock removes a file: one that has its name now keeps it until then.
    if (file.open() && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0 && has_name(file))
      ::unlink(entry.path().c_str());
  }
}

std::string staging_path(const std::string& data_dir) {
  std::error_code ec;
  return (fs::absolute(data_dir, ec) / "plugins").lexically_normal().native();
}

/// What stands at `path`, which is to be `owner`'s.
std::optional<Refusal> judge_staging(const std::string& path, uid_t owner) {
  const auto wrong = [&](const std::string& what) {
    return refuse(StagingUnusable, "", {path, what});
  };

  struct stat found {};

  if (::lstat(path.c_str(), &found) != 0) return wrong(error_text(errno));
  if (!S_ISDIR(found.st_mode)) return wrong("it is not a directory");
  if (found.st_uid != owner) return wrong("it belongs to user " + std::to_string(found.st_uid));
  if ((found.st_mode & 077) != 0) {
    return wrong("others than its owner can use it (mode " + octal(found.st_mode) + ")");
  }
  if (!lets_code_run(path)) return refuse(StagingNoExec, "", {path});
  return std::nullopt;
}

} // namespace

std::optional<std::string> sha256_of(const std::string& path) {
  const FileDescriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  Sha256 sha256;
  std::vector<char> buffer(std::size_t{256} * 1024);
  for (std::uint64_t size = 0; size <= kPluginSizeMax;) {
    const auto got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) return sha256.hex();
    sha256.update(buffer.data(), static_cast<std::size_t>(got));
    size += static_cast<std::uint64_t>(got);
  }
  return std::nullopt;
}

StagedFile::~StagedFile() {
  if (file_.open() && !kept_) ::unlink(path_.c_str());
}

std::uint32_t
StagedFile::name(std::string_view id, std::string_view version, std::uint32_t generation) {
  const auto directory = path_.substr(0, path_.rfind('/') + 1);
  const auto stem =
      directory + std::string{id} + '-' + std::string{version} + '-' + sha256_.substr(0, 8) + "-g";
  for (;; ++generation) {
    auto path = stem + std::to_string(generation) + ".so";
    if (::link(path_.c_str(), path.c_str()) == 0) {
      ::unlink(path_.c_str());
      path_ = std::move(path);
      return generation;
    }
    if (errno != EEXIST) return 0;
  }
}

MappedFile::MappedFile(const StagedFile& file) {
  const FileDescriptor opened{::open(file.path().c_str(), O_RDONLY | O_CLOEXEC)};
  auto* bytes = ::mmap(nullptr, file.size(), PROT_READ, MAP_PRIVATE, opened.get(), 0);
  if (bytes != MAP_FAILED) bytes_ = {static_cast<const std::byte*>(bytes), file.size()};
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

OrRefusal<StagingDirectory> StagingDirectory::open(const std::string& data_dir) {
  std::error_code ec;
  const auto path = staging_path(data_dir);
  fs::create_directories(fs::path{path}.parent_path(), ec);
  if (ec) return refuse(StagingUnusable, "", {path, ec.message()});
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return refuse(StagingUnusable, "", {path, error_text(errno)});
  if (auto refusal = judge_staging(path, ::geteuid())) return *std::move(refusal);
  remove_leftovers(path);
  return StagingDirectory{path};
}

OrRefusal<StagingDirectory> StagingDirectory::temporary() {
  std::error_code ec;
  auto path = (fs::temp_directory_path(ec) / "switchyard-XXXXXX").native();
  if (ec || ::mkdtemp(path.data()) == nullptr)
    return refuse(TrialUnusable, "", {path, ec ? ec.message() : error_text(errno)});
  StagingDirectory made{path};
  made.temporary_.reset(new std::string{std::move(path)});
  if (!lets_code_run(made.path_))
    return refuse(TrialUnusable, "", {made.path_, "nothing there may be executed (noexec)"});
  return made;
}

OrRefusal<void> StagingDirectory::judge(const std::string& data_dir) {
  const auto path = staging_path(data_dir);

  struct stat found {};

  if (::lstat(path.c_str(), &found) != 0 && errno == ENOENT) return {}; // open() will make it
  const auto user = ::geteuid();
  if (auto refusal = judge_staging(path, user == 0 ? found.st_uid : user))
    return *std::move(refusal);
  return {};
}

void StagingDirectory::Remove::operator()(const std::string* directory) const noexcept {
  const std::unique_ptr<const std::string> held{directory};
  std::error_code left;
  fs::remove_all(*held, left);
}

OrRefusal<StagedFile> StagingDirectory::stage(const PluginSource& source) {
  const FileDescriptor from{
      ::open(source.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  if (!from.open() && errno == ENOENT) {
    return refuse(FileMissing, source.plugin, {source.path, source.place});
  }
  if (!from.open()) {
    return refuse(FileUnreadable, source.plugin, {source.path, error_text(errno)});
  }
  if (auto refusal = judge_file(source, from.get())) return *std::move(refusal);
  if (auto refusal = judge_directory(source, from.get())) return *std::move(refusal);

  auto [to, path] = make_file(path_);
  const auto failed = [&](int error) {
    return refuse(StagingFailed, source.plugin, {source.path, path_, error_text(error)});
  };
  if (!to.open()) return failed(errno);
  StagedFile copy{std::move(to), path}; // removed on every way out but the last

  Sha256 sha256;
  std::vector<char> buffer(std::size_t{256} * 1024);
  for (;;) {
    const auto got = ::read(from.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return refuse(FileUnreadable, source.plugin, {source.path, error_text(errno)});
    if (got == 0) break;
    const auto bytes = static_cast<std::size_t>(got);
    copy.size_ += bytes;
    if (copy.size_ > kPluginSizeMax) return failed(EFBIG);
    sha256.update(buffer.data(), bytes);
    if (const auto error = write_all(copy.file_.get(), buffer.data(), bytes)) return failed(error);
  }
  if (::fchmod(copy.file_.get(), 0500) != 0) return failed(errno);
  copy.sha256_ = sha256.hex();
  copy.signature_ = source.signature ? *source.signature : read_signature(source.path);
  return copy;
}

} // namespace switchyard::host

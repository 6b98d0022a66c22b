#pragma once

#include <host/plugin/file_descriptor.hpp>
#include <host/plugin/refusal.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace switchyard::host {

/// No plugin is larger than this; in bytes.
inline constexpr std::uint64_t kPluginSizeMax = std::uint64_t{1} << 30;

/// Our private copy of a plugin: the only file of it that is ever mapped, so that nobody can change
/// running code. Removed on destruction, unless kept; a copy that a process uses is locked (flock),
/// so that no other process takes it for a left-over.
class StagedFile {
public:
  ~StagedFile();
  StagedFile(StagedFile&&) noexcept = default;
  StagedFile& operator=(StagedFile&&) = delete;

  /// Absolute.
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  [[nodiscard]] const std::string& sha256() const noexcept { return sha256_; } ///< hex, lower case

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

  /// What stood in source.sig, at most one byte more than a signature has; empty: nothing.
  [[nodiscard]] const std::string& signature() const noexcept { return signature_; }

  /// Renames it to "<id>-<version>-<first 8 of sha256>-g<n>.so" with the first free n from
  /// `generation` on, which it returns; 0 when the directory does not let it.
  [[nodiscard]] std::uint32_t
  name(std::string_view id, std::string_view version, std::uint32_t generation);

  /// Leaves it where it is: its code stays in memory and a backtrace needs it.
  void keep() noexcept { kept_ = true; }

private:
  friend class StagingDirectory;

  StagedFile(FileDescriptor file, std::string path) noexcept
      : file_{std::move(file)}, path_{std::move(path)} {}

  FileDescriptor file_;
  std::string path_;
  std::string sha256_;
  std::string signature_;
  std::uint64_t size_ = 0;
  bool kept_ = false;
};

/// The bytes of a staged file, mapped for reading.
class MappedFile {
public:
  explicit MappedFile(const StagedFile& file);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  /// Empty when it could not be mapped.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

private:
  std::span<const std::byte> bytes_;
};

/// Where the file of a plugin is, as the operator named it.
struct PluginSource {
  std::string plugin; ///< name in plugins.toml
  std::string path;
  std::string place; ///< "plugins.toml:12"
  std::optional<std::string>
      signature{}; ///< that came with it before; nothing: what is in path.sig
};

/// SHA-256 of a file in hex, lower case; nothing when it cannot be read. For comparisons: what is
/// taken is judged by its copy.
[[nodiscard]] std::optional<std::string> sha256_of(const std::string& path);

/// Where copies are kept: ours alone (0700) and on a file system that lets code run.
class StagingDirectory {
public:
  /// `<data_dir>/plugins`. Makes it if need be and removes copies that no process uses any more.
  [[nodiscard]] static OrRefusal<StagingDirectory> open(const std::string& data_dir);

  /// One for a trial, which goes with this object.
  [[nodiscard]] static OrRefusal<StagingDirectory> temporary();

  /// What open() would refuse, found without making or changing anything: who tries a configuration
  /// may be another user than the one that serves it. Root may try for anybody.
  [[nodiscard]] static OrRefusal<void> judge(const std::string& data_dir);

  /// Copies the file of a plugin: regular, owned by root or us, writable by its owner alone, in a
  /// directory of which the same holds except that its group may write to it, and not elsewhere by
  /// a symbolic link. All of it is asked of the open file, so that nobody changes it in between.
  [[nodiscard]] OrRefusal<StagedFile> stage(const PluginSource& source);

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
  struct Remove {
    void operator()(const std::string* directory) const noexcept;
  };

  explicit StagingDirectory(std::string path) : path_{std::move(path)} {}

  std::string path_;                                     ///< absolute
  std::unique_ptr<const std::string, Remove> temporary_; ///< the same, of a directory that goes
};

} // namespace switchyard::host

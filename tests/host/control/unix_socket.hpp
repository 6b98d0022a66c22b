#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <filesystem>
#include <string>
#include <unistd.h>

namespace switchyard::host {

/// A directory of the test's own, gone at its end.
class TempDir {
public:
  TempDir() { path_ = mkdtemp(path_.data()); }

  ~TempDir() { std::filesystem::remove_all(path_); }

  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

private:
  std::string path_ = "/tmp/switchyard-control-XXXXXX";
};

/// A bare Unix socket, closed at the end: the other side, as somebody else might write it.
class UnixSocket {
public:
  UnixSocket() = default;

  explicit UnixSocket(int descriptor) : descriptor_{descriptor} {}

  ~UnixSocket() { close(descriptor_); }

  UnixSocket(const UnixSocket&) = delete;
  UnixSocket& operator=(const UnixSocket&) = delete;

  [[nodiscard]] int get() const noexcept { return descriptor_; }

  [[nodiscard]] bool connect(const std::string& path) const {
    const auto name = address(path);
    return ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
  }

  [[nodiscard]] bool bind(const std::string& path) const {
    const auto name = address(path);
    return ::bind(descriptor_, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
  }

  void send(const std::string& bytes) const {
    [[maybe_unused]] const auto sent =
        ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

  /// Everything up to the end of the stream.
  [[nodiscard]] std::string receive_all() const {
    std::string all;
    char chunk[1024];
    for (ssize_t size = 0; (size = recv(descriptor_, chunk, sizeof chunk, 0)) > 0;) {
      all.append(chunk, static_cast<std::size_t>(size));
    }
    return all;
  }

private:
  static sockaddr_un address(const std::string& path) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    path.copy(name.sun_path, sizeof name.sun_path - 1);
    return name;
  }

  int descriptor_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

} // namespace switchyard::host

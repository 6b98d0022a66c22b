#pragma once

#include <unistd.h>
#include <utility>

namespace switchyard::host {

/// Owns a file descriptor and closes it.
class FileDescriptor {
public:
  FileDescriptor() = default;

  explicit FileDescriptor(int number) noexcept : number_{number} {}

  ~FileDescriptor() {
    if (open()) ::close(number_);
  }

  FileDescriptor(FileDescriptor&& other) noexcept : number_{std::exchange(other.number_, -1)} {}

  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }

  /// Gives the number up.
  [[nodiscard]] int release() && noexcept { return std::exchange(number_, -1); }

  [[nodiscard]] int get() const noexcept { return number_; }

  [[nodiscard]] bool open() const noexcept { return number_ >= 0; }

private:
  int number_ = -1;
};

} // namespace switchyard::host

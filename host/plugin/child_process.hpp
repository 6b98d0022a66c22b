#pragma once

#include <host/plugin/file_descriptor.hpp>

#include <sys/types.h>

#include <span>
#include <string>
#include <string_view>

namespace switchyard::host {

/// A process of this program on a hidden command, in a process group of its own: killed with
/// everything it has started, and reaped, whatever happens. One thread.
class ChildProcess {
public:
  ChildProcess() = default;

  ~ChildProcess() { end(); }

  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Starts `program` with argv[1] = `command`. It gets `files` as descriptors 0, 1, 2, …, and
  /// nothing else that is open here; each of them is one of moved_up(). errno when it
  /// cannot be started.
  [[nodiscard]] int
  start(const std::string& program, std::string_view command, std::span<const int> files);

  /// A duplicate of `number`, which is closed, that can be one of the files.
  [[nodiscard]] static FileDescriptor moved_up(int number);

  [[nodiscard]] pid_t id() const noexcept { return process_; } ///< 0: none

  /// Readable once it has ended.
  [[nodiscard]] int ended() const noexcept { return ended_.get(); }

  [[nodiscard]] bool has_ended() const;

  /// Kills what is left of it and returns its wait status.
  int end();

private:
  pid_t process_ = 0;
  FileDescriptor ended_;
};

/// Both ends of a pipe that can be given to a child, the reader non-blocking; not open when there
/// is no descriptor left.
struct ChildPipe {
  FileDescriptor reader;
  FileDescriptor writer;

  [[nodiscard]] static ChildPipe make();
};

/// `text` as a file to read from, which no child can leave full; not open when there is none.
[[nodiscard]] FileDescriptor file_of(std::string_view text);

} // namespace switchyard::host

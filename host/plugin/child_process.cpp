#include <host/plugin/child_process.hpp>

#include <sys/mman.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <unistd.h>

extern "C" { // glibc 2.36 forgot to say so
#include <sys/pidfd.h>
}

namespace switchyard::host {
namespace {

/// Above everything that a child is given a number for.
constexpr int kFirstFree = 10;

} // namespace

FileDescriptor ChildProcess::moved_up(int number) {
  if (number < 0) return {};
  const FileDescriptor low{number};
  return FileDescriptor{::fcntl(number, F_DUPFD_CLOEXEC, kFirstFree)};
}

int ChildProcess::start(
    const std::string& program, std::string_view command, std::span<const int> files) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  int number = 0;
  for (const int file : files)
    posix_spawn_file_actions_adddup2(&actions, file, number++);
  posix_spawn_file_actions_addclosefrom_np(&actions, number);

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  sigfillset(&signals);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);

  std::string name{"switchyard"};
  std::string word{command};
  std::array<char*, 3> argv{name.data(), word.data(), nullptr};
  const auto error =
      ::posix_spawn(&process_, program.c_str(), &actions, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    process_ = 0;
    return error;
  }
  ended_ = FileDescriptor{::pidfd_open(process_, 0)};
  return ended_.open() ? 0 : errno;
}

bool ChildProcess::has_ended() const {
  pollfd ended{ended_.get(), POLLIN, 0};
  return ended_.open() && ::poll(&ended, 1, 0) == 1;
}

int ChildProcess::end() {
  if (process_ == 0) return 0;
  // Not reaped yet, so the number is still its own, and its group's.
  if (!has_ended()) ::kill(process_, SIGKILL);
  ::kill(-process_, SIGKILL);
  int status = 0;
  while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  process_ = 0;
  ended_ = FileDescriptor{};
  return status;
}

ChildPipe ChildPipe::make() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  ChildPipe pipe{ChildProcess::moved_up(ends[0]), ChildProcess::moved_up(ends[1])};
  if (!pipe.reader.open() || !pipe.writer.open()) return {};
  ::fcntl(pipe.reader.get(), F_SETFL, O_NONBLOCK);
  return pipe;
}

FileDescriptor file_of(std::string_view text) {
  auto file = ChildProcess::moved_up(::memfd_create("request", MFD_CLOEXEC));
  if (!file.open()) return file;
  if (::pwrite(file.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return FileDescriptor{};
  }
  return file;
}

} // namespace switchyard::host

// What a switchyard needs that runs under valgrind 3.19: LD_PRELOAD this library.
#include <sys/wait.h>

#include <array>
#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <string_view>
#include <thread>
#include <unistd.h>

/// valgrind does not know it. Gives a pipe that is hung up when the process has ended: what poll()
/// is asked for.
extern "C" int pidfd_open(pid_t pid, unsigned) noexcept {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  std::thread{[pid, write_end = ends[1]] {
    siginfo_t ended;
    waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOWAIT);
    close(write_end);
  }}.detach();
  return ends[0];
}

/// To exec /proc/self/exe starts valgrind itself, while to read that link gives our program.
extern "C" int posix_spawn(
    pid_t* pid,
    const char* path,
    const posix_spawn_file_actions_t* files,
    const posix_spawnattr_t* attributes,
    char* const argv[],
    char* const envp[]) {
  static const auto next =
      reinterpret_cast<decltype(&posix_spawn)>(dlsym(RTLD_NEXT, "posix_spawn"));
  std::array<char, 4096> self{};
  if (std::string_view{path} == "/proc/self/exe" &&
      readlink(path, self.data(), self.size() - 1) > 0)
    path = self.data();
  return next(pid, path, files, attributes, argv, envp);
}

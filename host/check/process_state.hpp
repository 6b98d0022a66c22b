#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace switchyard::host {

/// What a process holds, as the kernel says (proc(5)).
struct ProcessState {
  std::vector<std::string> descriptors; ///< what each leads to: "socket", "/tmp/a"; sorted
  std::vector<std::string> threads;     ///< their names, sorted
  std::uint64_t resident = 0;           ///< bytes
};

/// Nothing in it when the process has gone.
[[nodiscard]] ProcessState observe(pid_t process);

/// The members of `after` that are not in `before`, as often as they are more; both sorted.
[[nodiscard]] std::vector<std::string>
added(const std::vector<std::string>& before, const std::vector<std::string>& after);

} // namespace switchyard::host

#include <host/check/process_state.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <unistd.h>

namespace switchyard::host {

namespace fs = std::filesystem;

namespace {

std::string first_line(const fs::path& file) {
  std::string line;
  std::ifstream from{file};
  std::getline(from, line);
  return line;
}

/// "socket:[1234]" as "socket": numbers differ between two looks at the same thing, and so do the
/// names of the host's copies of a plugin.
std::string kind(std::string descriptor) {
  if (descriptor.find("/switchyard-check-") != descriptor.npos) return "file of the trial";
  if (const auto at = descriptor.find(":["); at != descriptor.npos) descriptor.resize(at);
  return descriptor;
}

} // namespace

ProcessState observe(pid_t process) {
  ProcessState state;
  const fs::path root = "/proc/" + std::to_string(process);
  std::error_code gone;
  for (fs::directory_iterator at{root / "fd", gone}, end; !gone && at != end; at.increment(gone)) {
    std::error_code closed;
    const auto leads_to = fs::read_symlink(at->path(), closed);
    if (!closed) state.descriptors.push_back(kind(leads_to.string()));
  }
  for (fs::directory_iterator at{root / "task", gone}, end; !gone && at != end; at.increment(gone))
    state.threads.push_back(first_line(at->path() / "comm"));

  std::uint64_t pages = 0;
  std::ifstream{root / "statm"} >> pages >> pages; // the second number
  state.resident = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  std::ranges::sort(state.descriptors);
  std::ranges::sort(state.threads);
  return state;
}

std::vector<std::string>
added(const std::vector<std::string>& before, const std::vector<std::string>& after) {
  std::vector<std::string> more;
  std::ranges::set_difference(after, before, std::back_inserter(more));
  return more;
}

} // namespace switchyard::host

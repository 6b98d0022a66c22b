#include "client_process.hpp"

#include <sys/wait.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace switchyard::grpc::test {
namespace {

constexpr std::chrono::minutes kFinishLimit{1};

/// What comes until the end of the file; false when that does not come in time.
bool read_all(int from, std::string& text) {
  const auto deadline = std::chrono::steady_clock::now() + kFinishLimit;
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd readable{from, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&readable, 1, static_cast<int>(left.count())) <= 0)
      return false;
    std::array<char, 4096> part;
    const auto size = ::read(from, part.data(), part.size());
    if (size <= 0) return size == 0;
    text.append(part.data(), static_cast<std::size_t>(size));
  }
}

} // namespace

ClientProcess::ClientProcess(std::uint16_t port) {
  int input[2];
  int output[2];
  if (::pipe2(input, O_CLOEXEC) != 0 || ::pipe2(output, O_CLOEXEC) != 0)
    throw std::runtime_error{"no pipe"};
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, input[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, output[1], STDOUT_FILENO);
  std::string name{CLIENT};
  auto number = std::to_string(port);
  const std::array<char*, 3> arguments{name.data(), number.data(), nullptr};
  const auto failed =
      ::posix_spawn(&process_, name.c_str(), &files, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  ::close(input[0]);
  ::close(output[1]);
  input_ = input[1];
  output_ = output[0];
  if (failed != 0) throw std::runtime_error{"no client: " + name};
}

ClientProcess::~ClientProcess() {
  if (process_ > 0) {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  if (input_ >= 0) ::close(input_);
  ::close(output_);
}

ClientProcess::Report ClientProcess::finish() {
  ::close(std::exchange(input_, -1));
  std::string text;
  Report report;
  if (!read_all(output_, text)) return report;
  int status = 0;
  report.whole = ::waitpid(std::exchange(process_, -1), &status, 0) > 0 && status == 0;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    const auto blank = line.find(' ');
    const auto word = line.substr(0, blank);
    if (word == "failure") {
      report.failures.push_back(line.substr(blank + 1));
    } else {
      report.counts[word] = std::stoull(line.substr(blank + 1));
    }
  }
  return report;
}

} // namespace switchyard::grpc::test

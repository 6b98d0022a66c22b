#include <host/plugin/control_call.hpp>
#include <host/plugin/file_descriptor.hpp>
#include <host/plugin/probe.hpp>
#include <host/plugin/probe_child.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <sys/mman.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <spawn.h>
#include <system_error>
#include <unistd.h>

extern "C" { // glibc 2.36 forgot to say so
#include <sys/pidfd.h>
}

namespace switchyard::host {
namespace {

namespace json = boost::json;
using Clock = std::chrono::steady_clock;
using enum RefusalCode;

/// What is kept of each stream of the child; a verdict is shorter.
constexpr std::size_t kAnswerMax = 16'384;
constexpr std::size_t kComplaintMax = 2048;
constexpr std::size_t kLastWordsMax = 200;
constexpr std::size_t kPipeCapacity = 64 * 1024;

/// Above everything that the child is given a number for.
constexpr int kFirstFree = 10;

FileDescriptor moved_up(int number) {
  if (number < 0) return {};
  const FileDescriptor low{number};
  return FileDescriptor{::fcntl(number, F_DUPFD_CLOEXEC, kFirstFree)};
}

struct Pipe {
  FileDescriptor reader;
  FileDescriptor writer;

  static Pipe make() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
    Pipe pipe{moved_up(ends[0]), moved_up(ends[1])};
    if (!pipe.reader.open() || !pipe.writer.open()) return {};
    ::fcntl(pipe.reader.get(), F_SETFL, O_NONBLOCK);
    return pipe;
  }
};

/// The request as a file to read from: no pipe that the child could leave full.
FileDescriptor request_file(const ProbeRequest& request) {
  const auto text = json::serialize(json::object{
      {"plugin", request.plugin},
      {"path", request.path},
      {"staged", request.staged},
      {"manifest", request.manifest},
      {"platform", json::array(request.platform.begin(), request.platform.end())},
      {"config", request.config},
      {"config_place", request.config_place}});
  auto file = moved_up(::memfd_create("probe-request", MFD_CLOEXEC));
  if (!file.open()) return file;
  if (::pwrite(file.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return FileDescriptor{};
  }
  return file;
}

/// The child process: killed with everything it has started, and reaped, whatever happens.
class Child {
public:
  /// errno when it cannot be started.
  int start(const std::string& program, int request, int output, int answer) {
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, request, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&files, answer, kProbeAnswer);
    posix_spawn_file_actions_addclosefrom_np(&files, kProbeAnswer + 1);

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
    std::string command{kProbeCommand};
    std::array<char*, 3> argv{name.data(), command.data(), nullptr};
    const auto error =
        ::posix_spawn(&pid_, program.c_str(), &files, &attributes, argv.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    if (error != 0) {
      pid_ = 0;
      return error;
    }
    ended_ = FileDescriptor{::pidfd_open(pid_, 0)};
    return ended_.open() ? 0 : errno;
  }

  ~Child() { end(); }

  Child() = default;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Readable once it has ended.
  [[nodiscard]] int ended() const noexcept { return ended_.get(); }

  /// Kills what is left of it and returns its wait status.
  int end() {
    if (pid_ == 0) return 0;
    // Not reaped yet, so the number is still its own, and its group's.
    if (!has_ended()) ::kill(pid_, SIGKILL);
    ::kill(-pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return status;
  }

private:
  [[nodiscard]] bool has_ended() const {
    pollfd ended{ended_.get(), POLLIN, 0};
    return ended_.open() && ::poll(&ended, 1, 0) == 1;
  }

  pid_t pid_ = 0;
  FileDescriptor ended_;
};

/// Takes what is there, but no more than a pipe holds (pipe(7)): one that is filled as fast as it
/// is read must not keep its reader. False at the end of the stream.
bool drain(int from, std::string& into, std::size_t kept) {
  std::array<char, 4096> buffer{};
  for (std::size_t taken = 0; taken < kPipeCapacity;) {
    const auto got = ::read(from, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return false;
    taken += static_cast<std::size_t>(got);
    into.append(buffer.data(), static_cast<std::size_t>(got));
    if (into.size() > kept) into.erase(0, into.size() - kept);
  }
  return true;
}

/// What the child has said until it ended or time was up.
struct Heard {
  std::string answer;
  std::string complaint;
  bool ended = false;

  void listen(int answers, int complaints, int ended_descriptor, Clock::time_point deadline) {
    std::array<pollfd, 3> streams{
        {{answers, POLLIN, 0}, {complaints, POLLIN, 0}, {ended_descriptor, POLLIN, 0}}};
    while (!ended) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
      if (left <= 0) return;
      if (::poll(streams.data(), streams.size(), static_cast<int>(left)) < 0 && errno != EINTR) {
        return;
      }
      ended = streams[2].revents != 0;
      if (!drain(answers, answer, kAnswerMax)) streams[0].fd = -1;
      if (!drain(complaints, complaint, kComplaintMax)) streams[1].fd = -1;
    }
  }

  /// The last step it has begun, and the verdict if there is one.
  std::string step = "before it was loaded";
  std::optional<json::object> verdict;

  void read_answer() {
    for (std::string_view rest{answer}; !rest.empty();) {
      const auto line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      boost::system::error_code ec;
      const auto value = json::parse({line.data(), line.size()}, ec);
      if (ec || !value.is_object()) continue; // the plugin's own doing
      const auto& said = value.get_object();
      if (const auto* begun = said.if_contains("step"); begun != nullptr && begun->is_string()) {
        step = std::string{begun->get_string()};
      }
      if (said.contains("verdict")) verdict = said;
    }
  }

  /// The last line it wrote, as a clause; empty when it wrote nothing.
  [[nodiscard]] std::string last_words() const {
    std::string_view text{complaint};
    while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ')
      text.remove_suffix(1);
    if (const auto end = text.rfind('\n'); end != std::string_view::npos)
      text.remove_prefix(end + 1);
    if (text.empty()) return {};
    return "; its last words: " + std::string{text.substr(0, kLastWordsMax)};
  }
};

OrRefusal<void> refused(const ProbeRequest& request, const json::object& verdict) {
  const auto* code = verdict.if_contains("code");
  const auto* text = verdict.if_contains("text");
  if (code == nullptr || text == nullptr || !code->is_int64() || !text->is_string()) {
    return refuse(ProbeFailed, request.plugin, {"it gives no verdict"});
  }
  return Refusal{static_cast<RefusalCode>(code->get_int64()), std::string{text->get_string()}};
}

} // namespace

OrRefusal<void> probe_plugin(
    const ProbeRequest& request, std::chrono::milliseconds limit, const std::string& program) {
  const auto failed = [&](int error) {
    return refuse(ProbeFailed, request.plugin, {std::generic_category().message(error)});
  };
  const auto file = request_file(request);
  auto output = Pipe::make();
  auto answer = Pipe::make();
  if (!file.open() || !output.writer.open() || !answer.writer.open()) return failed(errno);

  const auto deadline = Clock::now() + limit;
  Child child;
  const auto error = child.start(program, file.get(), output.writer.get(), answer.writer.get());
  if (error != 0) return failed(error);
  output.writer = FileDescriptor{};
  answer.writer = FileDescriptor{};

  Heard heard;
  heard.listen(answer.reader.get(), output.reader.get(), child.ended(), deadline);
  const auto status = child.end();
  heard.read_answer();

  const auto last_words = heard.last_words();
  if (!heard.ended) {
    return refuse(
        ProbeHang, request.plugin, {request.path, heard.step, duration_text(limit), last_words});
  }
  if (WIFSIGNALED(status)) {
    const auto number = WTERMSIG(status);
    return refuse(
        ProbeSignal,
        request.plugin,
        {request.path, heard.step, std::to_string(number), ::strsignal(number), last_words});
  }
  if (WEXITSTATUS(status) != 0 || !heard.verdict) {
    return refuse(
        ProbeExit,
        request.plugin,
        {request.path, heard.step, std::to_string(WEXITSTATUS(status)), last_words});
  }
  if (heard.verdict->at("verdict") == "taken") return {};
  return refused(request, *heard.verdict);
}

} // namespace switchyard::host

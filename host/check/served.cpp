#include <host/check/served.hpp>
#include <host/control/client.hpp>
#include <host/plugin/child_process.hpp>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <poll.h>
#include <spawn.h>
#include <system_error>
#include <unistd.h>
#include <utility>

extern "C" { // glibc 2.36 forgot to say so
#include <sys/pidfd.h>
}

namespace switchyard::host {

namespace json = boost::json;
namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

constexpr auto kSettleLimit = 5s;
constexpr auto kReadyLimit = 60s; ///< more than its own limits add up to
constexpr auto kLook = 2ms;       ///< between two looks at something that tells nobody
constexpr std::size_t kErrorsTold = 3;

/// Starts this very program on its kServedCommand; its number, or 0 with errno.
pid_t spawn(int request, const std::string& log) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, request, STDIN_FILENO);
  posix_spawn_file_actions_addopen(
      &files, STDERR_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  std::string name{"switchyard"};
  std::string command{kServedCommand};
  std::array<char*, 3> argv{name.data(), command.data(), nullptr};
  pid_t process = 0;
  const auto error =
      ::posix_spawn(&process, "/proc/self/exe", &files, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  errno = error;
  return error == 0 ? process : 0;
}

std::uint16_t port_of(std::string_view address) {
  std::uint16_t port = 0;
  address.remove_prefix(address.rfind(':') + 1);
  std::from_chars(address.data(), address.data() + address.size(), port);
  return port;
}

/// The rest of each line of `log` behind `mark`.
std::vector<std::string> behind(const std::string& log, std::string_view mark) {
  std::vector<std::string> found;
  for (std::size_t at = 0; (at = log.find(mark, at)) != log.npos;) {
    at += mark.size();
    found.push_back(log.substr(at, log.find('\n', at) - at));
  }
  return found;
}

void pause() {
  static_cast<void>(::poll(nullptr, 0, static_cast<int>(kLook / 1ms)));
}

} // namespace

boost::system::result<Served, std::string> Served::start(const ServedPlugin& what) {
  const auto failed = [](const char* step) {
    return std::string{step} + ": " + std::generic_category().message(errno);
  };
  std::error_code ec;
  auto pattern = (fs::temp_directory_path(ec) / "switchyard-check-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) return failed("no directory for the trial");
  Served served;
  served.directory_ = std::move(pattern);
  served.isolated_ = what.isolation == Isolation::Process;

  const auto request = file_of(json::serialize(json::object{
      {"directory", served.directory_ + "/data"},
      {"file", what.file},
      {"config", what.config},
      {"with", json::array(what.with.begin(), what.with.end())},
      {"protocols", json::array(what.protocols.begin(), what.protocols.end())},
      {"drain_ms", what.drain_ms},
      {"isolated", what.isolation == Isolation::Process}}));
  if (!request.open()) return failed("no request for the trial");
  served.process_ = spawn(request.get(), served.directory_ + "/log");
  if (served.process_ == 0) return failed("no process for the trial");
  served.ended_ = FileDescriptor{::pidfd_open(served.process_, 0)};
  if (auto problem = served.wait_until_ready(); !problem.empty()) return problem;
  return served;
}

Served::Served(Served&& other) noexcept
    : directory_{std::exchange(other.directory_, {})},
      process_{std::exchange(other.process_, 0)},
      ended_{std::move(other.ended_)},
      ports_{std::move(other.ports_)},
      isolated_{other.isolated_} {}

Served::~Served() {
  if (process_ != 0) {
    ::kill(process_, SIGKILL);
    static_cast<void>(reap());
  }
  std::error_code left; // what a plugin may have put there
  if (!directory_.empty()) fs::remove_all(directory_, left);
}

std::string Served::wait_until_ready() {
  // The socket is there before the plugins are, and answers once they are.
  const auto deadline = Clock::now() + kReadyLimit;
  for (;;) {
    auto status = ask(directory_ + "/data/control.sock", {{"command", "status"}}, kReadyLimit);
    if (status) {
      for (const auto& listener : status->at("listeners").as_array())
        ports_.push_back(port_of(listener.at("address").as_string()));
      ports_.erase(ports_.begin()); // the demultiplexed one
      return {};
    }
    if (auto ended = ended_early(); !ended.empty()) {
      const auto refused = behind(log(), "refused: ");
      return refused.empty() ? "while it was started " + ended : refused.front();
    }
    if (Clock::now() > deadline) return "it was not ready within a minute";
    pause();
  }
}

ProcessState Served::state() const {
  auto state = observe(process_);
  if (!isolated_) return state;
  const auto asked = plugin();
  const auto* process = asked.if_contains("process");
  if (process == nullptr) return state; // it has gone, which is seen elsewhere
  const auto its = observe(process->at("pid").to_number<pid_t>());
  const auto add = [](std::vector<std::string>& all, const std::vector<std::string>& more) {
    all.insert(all.end(), more.begin(), more.end());
    std::ranges::sort(all);
  };
  add(state.descriptors, its.descriptors);
  add(state.threads, its.threads);
  state.resident += its.resident;
  return state;
}

ProcessState Served::settled(const ProcessState& before) const {
  const auto deadline = Clock::now() + kSettleLimit;
  for (;;) {
    auto now = state();
    const auto more = now.descriptors.size() > before.descriptors.size() ||
                      now.threads.size() > before.threads.size();
    if (!more || Clock::now() > deadline) return now;
    pause();
  }
}

json::object Served::plugin() const {
  const auto answer =
      ask(directory_ + "/data/control.sock",
          {{"command", "plugin.why"}, {"name", kUnderTrial}},
          kReadyLimit);
  if (!answer || !answer->contains("plugin")) return {};
  return answer->at("plugin").as_object();
}

boost::system::result<void, std::string> Served::swap() const {
  const auto answer = follow(
      directory_ + "/data/control.sock",
      {{"command", "plugin.swap"}, {"name", kUnderTrial}, {"library", ""}, {"dry_run", false}},
      [](const json::object&) {},
      kReadyLimit);
  if (!answer) return answer.error().text;
  return {};
}

std::uint64_t Served::connections_left(std::chrono::milliseconds limit) const {
  const auto deadline = Clock::now() + limit;
  for (;;) {
    std::uint64_t left = 0;
    const auto asked = plugin();
    if (!asked.contains("generations")) return 0; // it has gone, which is seen elsewhere
    for (const auto& generation : asked.at("generations").as_array())
      if (const auto* open = generation.as_object().if_contains("connections"))
        left += open->to_number<std::uint64_t>();
    if (left == 0 || Clock::now() > deadline) return left;
    pause();
  }
}

void Served::signal(int number) const {
  ::kill(process_, number);
}

bool Served::ended_within(std::chrono::milliseconds limit) const {
  pollfd ended{ended_.get(), POLLIN, 0};
  return ::poll(&ended, 1, static_cast<int>(limit.count())) == 1;
}

int Served::reap() {
  int status = 0;
  while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  process_ = 0;
  return status;
}

std::string Served::end(std::chrono::milliseconds limit) {
  if (!ended_within(limit)) return "it had not ended after " + std::to_string(limit / 1s) + " s";
  return verdict(reap());
}

std::string Served::ended_early() {
  if (!ended_within(0ms)) return {};
  const auto how = verdict(reap());
  return how.empty() ? "it ended by itself" : how;
}

std::string Served::verdict(int wait_status) const {
  if (WIFSIGNALED(wait_status)) {
    const auto* name = ::sigabbrev_np(WTERMSIG(wait_status));
    return std::string{"it was ended by SIG"} + (name != nullptr ? name : "?");
  }
  if (WEXITSTATUS(wait_status) == 0) return {};
  auto clause = "it ended with exit code " + std::to_string(WEXITSTATUS(wait_status));
  for (const auto& error : errors())
    clause += "; " + error;
  return clause;
}

std::string Served::log() const {
  std::ifstream from{directory_ + "/log", std::ios::binary};
  return {std::istreambuf_iterator<char>{from}, {}};
}

std::vector<std::string> Served::retained() const {
  auto found = behind(log(), "retained reason=\"");
  for (auto& reason : found)
    reason.resize(std::min(reason.size(), reason.rfind('"')));
  return found;
}

std::vector<std::string> Served::process_ends() const {
  constexpr std::string_view kReason = "reason=\"";
  std::vector<std::string> found;
  for (const auto& line : behind(log(), ": process ended pid=")) {
    const auto reason = line.find(kReason);
    if (reason == line.npos) continue;
    found.push_back(line.substr(reason + kReason.size()));
    found.back().resize(std::min(found.back().size(), found.back().rfind('"')));
  }
  return found;
}

std::vector<std::string> Served::errors() const {
  std::vector<std::string> found;
  for (const auto* mark : {" error ", " critical "}) {
    for (auto& line : behind(log(), mark))
      found.push_back(std::move(line));
  }
  if (found.size() > kErrorsTold) found.erase(found.begin(), found.end() - kErrorsTold);
  return found;
}

} // namespace switchyard::host

#include <host/plugin/child_process.hpp>
#include <host/plugin/control_call.hpp>
#include <host/plugin/probe.hpp>
#include <host/plugin/probe_child.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <poll.h>
#include <system_error>
#include <unistd.h>

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

std::string request_text(const ProbeRequest& request) {
  return json::serialize(json::object{
      {"plugin", request.plugin},
      {"path", request.path},
      {"staged", request.staged},
      {"manifest", request.manifest},
      {"platform", json::array(request.platform.begin(), request.platform.end())},
      {"config", request.config},
      {"config_place", request.config_place}});
}

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
  const auto file = file_of(request_text(request));
  auto output = ChildPipe::make();
  auto answer = ChildPipe::make();
  if (!file.open() || !output.writer.open() || !answer.writer.open()) return failed(errno);

  const auto deadline = Clock::now() + limit;
  ChildProcess child;
  static_assert(kProbeAnswer == 3);
  const auto error = child.start(
      program,
      kProbeCommand,
      std::array{file.get(), output.writer.get(), output.writer.get(), answer.writer.get()});
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

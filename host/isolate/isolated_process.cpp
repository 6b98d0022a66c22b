#include <host/isolate/isolated_command.hpp>
#include <host/isolate/isolated_process.hpp>

#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <string_view>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace switchyard::host {
namespace {

/// Of what the plugin writes to its standard output and error: a line is no longer.
constexpr std::size_t kOutputLineMax = 1'000;

/// What is read of that at once, so that one who writes for ever keeps nobody.
constexpr std::size_t kOutputAtOnce = 65'536;

/// A process that has closed its channel is ending, and has ended by then.
constexpr int kGraceMs = 1'000;

int milliseconds_until(IsolatedProcess::Clock::time_point until) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(until - IsolatedProcess::Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000));
}

std::string ending(int wait_status) {
  if (!WIFSIGNALED(wait_status)) return "exit code " + std::to_string(WEXITSTATUS(wait_status));
  const auto number = WTERMSIG(wait_status);
  return "signal " + std::to_string(number) + " (" + ::strsignal(number) + ")";
}

} // namespace

std::optional<std::string>
IsolatedProcess::start(const std::string& request, std::size_t loops, Clock::time_point until) {
  const auto failed = [](int error) {
    return "its process cannot be started: " + std::generic_category().message(error);
  };
  const auto file = file_of(request);
  auto output = ChildPipe::make();
  auto control = Channel::pair();
  const auto theirs = ChildProcess::moved_up(std::move(control.theirs).take().release());
  if (!file.open() || !output.writer.open() || !theirs.open()) return failed(errno);
  static_assert(kIsolatedControl == 3);
  const auto error = child_.start(
      program_,
      kIsolatedCommand,
      std::array{file.get(), output.writer.get(), output.writer.get(), theirs.get()});
  if (error != 0) return failed(error);
  control_ = std::move(control.ours);
  output_ = std::move(output.reader);
  output_line_.clear();
  started_ = Clock::now();
  faulty_ = false;
  closed_ = false;
  lanes_.clear();
  for (std::size_t loop = 0; loop < loops; ++loop) {
    auto lane = Channel::pair();
    if (!lane.theirs.open()) return failed(errno);
    if (!send(LaneOpened{}, lane.theirs.descriptor(), until))
      return "its process did not take its channels";
    lanes_.push_back(std::move(lane.ours));
  }
  return std::nullopt;
}

bool IsolatedProcess::send(const Message& message, int descriptor, Clock::time_point until) {
  for (;;) {
    const auto sent = control_.send(message, descriptor);
    if (sent != Channel::Sent::Later) return sent == Channel::Sent::Whole;
    pollfd writable{control_.descriptor(), POLLOUT, 0};
    if (::poll(&writable, 1, milliseconds_until(until)) <= 0) return false;
  }
}

boost::system::result<Answer, std::string>
IsolatedProcess::exchange(const Call& call, Clock::time_point until) {
  if (!send(call, -1, until)) return std::string{"a call that it did not take"};
  for (;;) {
    std::array<pollfd, 3> streams{
        {{control_.descriptor(), POLLIN, 0},
         {output_.get(), POLLIN, 0},
         {child_.ended(), POLLIN, 0}}};
    const auto some = ::poll(streams.data(), streams.size(), milliseconds_until(until));
    if (auto answer = hear()) return *std::move(answer);
    read_output();
    if (faulty_ || has_ended()) return std::string{};
    if (some == 0) return std::string{"an answer that did not come"};
  }
}

bool IsolatedProcess::wait(int wake, std::optional<Clock::time_point> until) {
  const auto here = [this](int descriptor) { return running() ? descriptor : -1; };
  std::array<pollfd, 4> streams{
      {{wake, POLLIN, 0},
       {here(control_.descriptor()), POLLIN, 0},
       {here(output_.get()), POLLIN, 0},
       {here(child_.ended()), POLLIN, 0}}};
  ::poll(streams.data(), streams.size(), until ? milliseconds_until(*until) : -1);
  if (!running()) return true;
  if (hear()) faulty_ = true; // nobody has asked
  read_output();
  return !faulty_ && !has_ended();
}

void IsolatedProcess::see_out(Clock::time_point until) {
  pollfd ended{child_.ended(), POLLIN, 0};
  ::poll(&ended, 1, milliseconds_until(until));
  static_cast<void>(hear());
  read_output();
  child_.end();
}

std::string IsolatedProcess::end(std::string why) {
  read_output();
  const auto by_itself = child_.has_ended();
  const auto status = child_.end();
  if (by_itself) return ending(status);
  if (!why.empty()) return why;
  return faulty_ ? "a message that is none" : "the end of its channel";
}

/// Takes what it has sent. An answer, when one was among it.
std::optional<Answer> IsolatedProcess::hear() {
  for (;;) {
    const auto received = control_.receive();
    if (received.heard == Channel::Heard::Fault) faulty_ = true;
    if (received.heard == Channel::Heard::End) closed_ = true;
    if (received.heard != Channel::Heard::Whole) return std::nullopt;
    if (const auto* line = std::get_if<LogLine>(&received.message)) {
      events_.line(line->level, line->text);
    } else if (const auto* counted = std::get_if<Counted>(&received.message)) {
      events_.counted(*counted);
    } else if (std::holds_alternative<Drained>(received.message)) {
      events_.drained();
    } else if (const auto* answer = std::get_if<Answer>(&received.message)) {
      return *answer;
    } else {
      faulty_ = true;
      return std::nullopt;
    }
  }
}

/// Logs what the plugin writes by itself, and what a sanitizer or the loader does.
void IsolatedProcess::read_output() {
  std::array<char, 4096> buffer{};
  for (std::size_t taken = 0; taken < kOutputAtOnce;) {
    const auto got = ::read(output_.get(), buffer.data(), buffer.size());
    if (got <= 0) {
      if (got == 0) output_ = FileDescriptor{};
      return;
    }
    taken += static_cast<std::size_t>(got);
    for (const char c : std::string_view{buffer.data(), static_cast<std::size_t>(got)}) {
      if (c != '\n' && output_line_.size() < kOutputLineMax) output_line_ += c;
      if (c != '\n') continue;
      events_.line(SY_LOG_WARN, output_line_);
      output_line_.clear();
    }
  }
}

/// Or is about to.
bool IsolatedProcess::has_ended() const {
  if (!closed_) return child_.has_ended();
  pollfd ended{child_.ended(), POLLIN, 0};
  ::poll(&ended, 1, kGraceMs);
  return true;
}

} // namespace switchyard::host

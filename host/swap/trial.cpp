#include <host/plugin/control_call.hpp>
#include <host/plugin/instance.hpp>
#include <host/swap/trial.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <poll.h>
#include <string_view>
#include <utility>

namespace switchyard::host {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// How long a plugin may take to close a connection that its client has left; it is closed then.
constexpr milliseconds kParting{1'000};

/// How many bytes of a wrong answer a sentence shows.
constexpr std::size_t kShown = 16;

/// Whether `socket` is ready for `events`, or has ended, before `until`.
bool ready(int socket, short events, Clock::time_point until) {
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(until - Clock::now()).count();
    pollfd waits{socket, events, 0};
    const auto count = ::poll(&waits, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (count >= 0 || errno != EINTR) return count > 0;
  }
}

enum class Read { Some, Nothing, End };

/// Appends what is there to `received`.
Read read_more(int socket, std::string& received) {
  std::array<char, 4096> bytes; // NOLINT: filled below as far as it is used
  const auto count = ::recv(socket, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (count > 0) {
    received.append(bytes.data(), static_cast<std::size_t>(count));
    return Read::Some;
  }
  return count < 0 && (errno == EAGAIN || errno == EINTR) ? Read::Nothing : Read::End;
}

/// Nothing more is said here; returns when the other end has closed, or has had the time to.
void part(int socket) {
  const auto until = Clock::now() + kParting;
  if (::shutdown(socket, SHUT_WR) != 0) return;
  std::string rest;
  while (rest.size() < kTrialReadMax && ready(socket, POLLIN, until)) {
    if (read_more(socket, rest) == Read::End) return;
  }
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const auto c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (!text.empty()) text += ' ';
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

TrialResult result(TrialEnd end, const std::string& received) {
  return {end, received.size(), hex(std::string_view{received}.substr(0, kShown))};
}

OrRefusal<void> judge(
    const TrialResult& result,
    const Instance& fresh,
    const std::string& protocol,
    milliseconds limit) {
  using enum RefusalCode;
  const auto number = std::to_string(fresh.generation());
  switch (result.end) {
  case TrialEnd::Answered: return {};
  case TrialEnd::Silent:
    return refuse(TrialSilent, fresh.name(), {number, protocol, duration_text(limit)});
  case TrialEnd::Closed: return refuse(TrialClosed, fresh.name(), {number, protocol});
  case TrialEnd::Wrong: break;
  }
  const auto more = result.size > kShown ? " …" : "";
  return refuse(
      TrialWrong,
      fresh.name(),
      {number, protocol, std::to_string(result.size), result.begin + more});
}

} // namespace

TrialResult converse(int socket, const Trial& trial, Clock::time_point until) {
  std::string_view unsaid = trial.send;
  std::string received;
  for (;;) {
    const auto events = static_cast<short>(unsaid.empty() ? POLLIN : POLLIN | POLLOUT);
    if (!ready(socket, events, until)) {
      return result(received.empty() ? TrialEnd::Silent : TrialEnd::Wrong, received);
    }
    if (!unsaid.empty()) {
      const auto sent = ::send(socket, unsaid.data(), unsaid.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent > 0) unsaid.remove_prefix(static_cast<std::size_t>(sent));
    }
    const auto read = read_more(socket, received);
    if (received.find(trial.answer) != std::string::npos) {
      part(socket);
      return result(TrialEnd::Answered, received);
    }
    if (read == Read::End)
      return result(received.empty() ? TrialEnd::Closed : TrialEnd::Wrong, received);
    if (received.size() >= kTrialReadMax) return result(TrialEnd::Wrong, received);
  }
}

std::vector<std::string> trials_of(const Instance& plugin) {
  std::vector<std::string> names;
  if (plugin.manifest() == nullptr) return names;
  for (const auto& protocol : plugin.manifest()->protocols) {
    if (protocol.trial) names.push_back(protocol.name);
  }
  return names;
}

OrRefusal<void>
prove_answers(const SwapSurroundings& around, const Instance& fresh, Clock::duration paused) {
  const auto& limits = around.config.swap;
  auto limit = limits.trial_timeout;
  if (paused.count() != 0)
    limit = std::min(limit, std::chrono::ceil<milliseconds>(limits.pause - paused));
  if (limit.count() <= 0) return {}; // the flip refuses it for the pause
  const auto until = Clock::now() + limit;
  const auto& protocols = fresh.manifest()->protocols;
  for (std::uint32_t index = 0; index < protocols.size(); ++index) {
    const auto& protocol = protocols[index];
    if (!protocol.trial) continue;
    std::array<int, 2> ends{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0)
      return refuse(RefusalCode::TrialImpossible, fresh.name(), {protocol.name});
    const FileDescriptor here{ends[0]};
    around.hand_over_trial(fresh, index, FileDescriptor{ends[1]});
    const auto said = converse(here.get(), *protocol.trial, until);
    if (auto judged = judge(said, fresh, protocol.name, limit); !judged) return judged;
  }
  return {};
}

} // namespace switchyard::host
